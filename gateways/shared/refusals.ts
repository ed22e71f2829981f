// Topics that the broker refuses to take: each waits by itself, longer after each try, and holds up no other. Pure.
import { backoffMs } from '../../contract/backoff.ts';

interface Refusal {
  /** The oldest message of the topic that waits for it. */
  firstId: number;
  failures: number;
  retryAt: number;
  /** The message that is tried now. */
  probe: number | undefined;
}

export interface Refusals {
  isRefused(topic: string): boolean;
  /** A message of a refused topic is left where it is. */
  skip(topic: string, id: number): void;
  /** The broker has refused a message. */
  refused(topic: string, id: number, now: number): void;
  /** What is to be tried now: the first message of each topic, from the id given. */
  due(now: number): { topic: string; firstId: number }[];
  /** This message is tried. */
  probe(topic: string, id: number): void;
  /** The connection was lost with a try under way. */
  unsettled(topic: string, id: number): void;
  /** The broker takes the topic again, or nothing of it is left: the id from which on it has to be sent. */
  clear(topic: string): number | undefined;
  /** Another connection may have other rights. */
  retryNow(): void;
  /** When the next try is due; undefined without one. */
  nextAt(): number | undefined;
}

/** Rights are given by people: seconds at first, minutes later. */
const waits = { baseMs: 5000, capMs: 600_000 };

/** Nothing is refused yet. */
export function createRefusals(): Refusals {
  const byTopic = new Map<string, Refusal>();
  return {
    isRefused: (topic) => byTopic.has(topic),
    skip: (topic, id) => {
      const refusal = byTopic.get(topic);
      if (refusal !== undefined) refusal.firstId = Math.min(refusal.firstId, id);
    },
    refused: (topic, id, now) => {
      const before = byTopic.get(topic);
      const firstId = Math.min(before?.firstId ?? id, id);
      // What was under way with the first one says nothing new.
      if (before !== undefined && before.probe !== id) return void (before.firstId = firstId);
      const failures = (before?.failures ?? 0) + 1;
      const retryAt = now + backoffMs(failures, waits);
      byTopic.set(topic, { firstId, failures, retryAt, probe: undefined });
    },
    due: (now) =>
      [...byTopic]
        .filter(([, { retryAt, probe }]) => probe === undefined && retryAt <= now)
        .map(([topic, { firstId }]) => ({ topic, firstId })),
    probe: (topic, id) => {
      const refusal = byTopic.get(topic);
      if (refusal !== undefined) Object.assign(refusal, { probe: id, firstId: id });
    },
    unsettled: (topic, id) => {
      const refusal = byTopic.get(topic);
      if (refusal?.probe === id) refusal.probe = undefined;
    },
    clear: (topic) => {
      const firstId = byTopic.get(topic)?.firstId;
      byTopic.delete(topic);
      return firstId;
    },
    retryNow: () => {
      for (const refusal of byTopic.values()) refusal.retryAt = 0;
    },
    nextAt: () => {
      const waiting = [...byTopic.values()].filter(({ probe }) => probe === undefined);
      return waiting.length === 0 ? undefined : Math.min(...waiting.map(({ retryAt }) => retryAt));
    },
  };
}
