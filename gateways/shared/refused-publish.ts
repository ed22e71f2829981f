// What a broker refuses to take, as reason codes of MQTT 5 say it.
import { messageOf } from '../../contract/errors.ts';

/** Why the broker refused a message; undefined when it did not, or when nobody knows. */
export function refusalOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code !== 'number' || code < 0x80) return undefined;
  return `${messageOf(error).replace(/^Publish error: /, '')} (0x${code.toString(16)})`;
}

export interface RefusalTeller {
  /** A message of the topic was answered. */
  settled(topic: string, error: unknown): void;
  count(): number;
}

/** Tells of each topic that is refused, and when it is taken again. */
export function createRefusalTeller(tell: (what: string, detail: string | undefined) => void): RefusalTeller {
  const refused = new Set<string>();
  let count = 0;
  return {
    settled: (topic, error) => {
      const reason = refusalOf(error);
      if (reason !== undefined) {
        count++;
        refused.add(topic);
        tell(`publish/${topic}`, `the broker refuses ${topic}: ${reason}`);
      } else if (error == null && refused.delete(topic)) tell(`publish/${topic}`, undefined);
    },
    count: () => count,
  };
}
