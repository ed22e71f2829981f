// News for other consumers of the log: what was stored, and what of it is odd. After the commit, best effort, without waiting.
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Item } from '../ingest/item.ts';
import type { LogEntry, LogWriter } from './kafka-client.ts';
import { logTopics } from './kafka-record.ts';
import type { Outcome } from './message.ts';
import type { WriteBatch } from '../ingest/writer.ts';

/** Tells the log. */
export interface Notifier {
  stored(items: readonly Item[], outcomes: readonly Outcome[]): void;
  stop(): Promise<void>;
}

const maxWaiting = 20_000;
const maxBatch = 2_000;

/**
 * Appends to iot.sensor.processed what a batch stored anew, and to iot.anomalies its points of doubtful quality. What does
 * not fit into the queue while the log is away is left out: the database has it, and whoever needs all of it asks there.
 */
export function createNotifier(writer: LogWriter, logger: Logger): Notifier {
  let waiting: LogEntry[] = [];
  let left = 0;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch);
      waiting = waiting.slice(batch.length);
      try {
        await writer.append(batch);
      } catch (error) {
        left += batch.length;
        logger.warn({ error: messageOf(error), left }, 'kafka: notifications left out');
      }
    }
    running = undefined;
  }

  return {
    stored(items, outcomes) {
      const entries = notifications(items, outcomes);
      if (entries.length === 0) return;
      left += Math.max(0, waiting.length + entries.length - maxWaiting);
      waiting = [...waiting, ...entries].slice(-maxWaiting);
      running ??= run();
    },
    async stop() {
      await running;
      await writer.close();
    },
  };
}

/** What a committed batch has to say. */
export function notifications(items: readonly Item[], outcomes: readonly Outcome[]): LogEntry[] {
  return items.flatMap(({ decoded, message }, index) => {
    const outcome = outcomes[index];
    if (decoded.kind !== 'data' || outcome?.kind !== 'stored' || decoded.data.at === undefined) return [];
    const { farm, deviceUid, deviceType } = decoded.address;
    const { at } = decoded.data;
    const points = decoded.data.points.filter(
      (_, point) => !outcome.duplicates.has(point) && outcome.refused?.has(point) !== true,
    );
    const entry = (topic: string, told: typeof points): LogEntry[] => {
      if (told.length === 0) return [];
      const wire = told.map(({ metric, time, value, quality }) => ({
        m: metric,
        t: time,
        v: value,
        q: quality,
      }));
      const body = { v: 1, farm, device_uid: deviceUid, device_type: deviceType, at, points: wire };
      const value = Buffer.from(JSON.stringify(body));
      return [{ topic, key: `${farm}/${deviceUid}`, value, timestamp: message.arrivedAt, headers: {} }];
    };
    const odd = points.filter(({ quality }) => quality !== 0);
    return [...entry(logTopics.processed, points), ...entry(logTopics.anomalies, odd)];
  });
}

/** A writer that also tells the log, after the commit. */
export function withNews(write: WriteBatch, notifier: Notifier): WriteBatch {
  return async (items, batchId, failures) => {
    const result = await write(items, batchId, failures);
    notifier.stored(items, result.outcomes);
    return result;
  };
}
