// Who wants what from the broker. No network.
import { messageOf } from '../../contract/errors.ts';

/** Takes a message. */
export type OnMessage = (topic: string, payload: Buffer) => void | Promise<void>;

export interface Subscriptions {
  add(filter: string, onMessage: OnMessage): void;
  filters(): Iterable<string>;
  /** Hands a message to all that want it; what is still to be done for it. */
  deliver(topic: string, payload: Buffer): Promise<void>[];
}

export function createSubscriptions(): Subscriptions {
  const wanted = new Map<string, OnMessage>();
  return {
    add: (filter, onMessage) => void wanted.set(filter, onMessage),
    filters: () => wanted.keys(),
    deliver: (topic, payload) =>
      [...wanted]
        .filter(([filter]) => fits(filter, topic))
        .map(([, onMessage]) => begun(() => onMessage(topic, payload)))
        .filter((work) => work !== undefined),
  };
}

/** What a handler throws at once is what its promise rejects with. */
function begun(work: () => void | Promise<void>): void | Promise<void> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

/** Whether a topic is in a subscription filter. */
function fits(filter: string, topic: string): boolean {
  const [wanted, levels] = [filter.split('/'), topic.split('/')];
  for (const [index, word] of wanted.entries()) {
    if (word === '#') return true;
    if (word !== '+' && word !== levels[index]) return false;
    if (levels[index] === undefined) return false;
  }
  return wanted.length === levels.length;
}
