// Retained messages: of a topic only the latest counts, and a broker without persistence is told all of them again.
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';

export interface Retained {
  set(topic: string, payload: string): void;
  /** Sends all of them: the broker may have forgotten everything. */
  sendAll(): void;
  /** Sends those that are not sent yet. */
  sendNew(): void;
}

type Send = (topic: string, payload: string, done: (error: unknown) => void) => void;

/** `send` reports no error by undefined or null. */
export function createRetained(send: Send, logger: Logger): Retained {
  const latest = new Map<string, string>();
  const unsent = new Set<string>();
  const sendOne = (topic: string) => {
    unsent.delete(topic);
    send(topic, latest.get(topic) ?? '', (error) => {
      if (error == null) return;
      logger.warn({ topic, error: messageOf(error) }, 'status not published');
      unsent.add(topic);
    });
  };
  return {
    set: (topic, payload) => {
      latest.set(topic, payload);
      unsent.add(topic);
    },
    sendAll: () => [...latest.keys()].forEach(sendOne),
    sendNew: () => [...unsent].forEach(sendOne),
  };
}
