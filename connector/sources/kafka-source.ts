// Messages from the log: one member of a consumer group, offsets committed after the database.
import { setTimeout as sleep } from 'node:timers/promises';
import { bounded } from '../../contract/runtime/boundary.ts';
import { backoffMs } from '../../contract/backoff.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { ensureTopics, joinLog, type LogOptions, type LogRecord } from './kafka-client.ts';
import { createOffsetTracker } from './kafka-offsets.ts';
import { fromRecord, logTopics } from './kafka-record.ts';
import type { MessageSink, MqttSource } from './mqtt-source.ts';

/** The group to join. */
export interface KafkaSourceOptions extends LogOptions {
  group: string;
  /** Of topics that have to be made. */
  partitions: number;
  /** Most messages in memory that are not settled. */
  maxInFlight: number;
  /** Learns the moment that an earlier delivery of the message was given, where another process may have stored it. */
  recall: (origin: string) => Promise<void>;
}

const commitMs = 200;
const retryWaits = { baseMs: 250, capMs: 5_000 };
const ended = (signal: AbortSignal) => signal.aborted;

/**
 * A member of the group while it is started. Every rebalance begins a new count: what was read before it no longer commits
 * anything, and comes again where it was not committed, which the unique keys make harmless.
 */
export function createKafkaSource(
  options: KafkaSourceOptions,
  sink: MessageSink,
  logger: Logger,
): MqttSource {
  let status = { ok: false, detail: 'not connected yet' };
  let membership: { abort: AbortController; running: Promise<void> } | undefined;
  let inFlight = 0;
  let roomier: (() => void) | undefined;
  const setStatus = (ok: boolean, detail: string) => {
    if (status.ok !== ok || status.detail !== detail) logger.info({ ok, detail }, 'kafka');
    status = { ok, detail };
  };

  async function run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !ended(signal); failures++) {
      try {
        await member(signal);
        failures = 0;
      } catch (error) {
        setStatus(false, `log not reachable, trying again: ${messageOf(error)}`);
      }
      if (!ended(signal))
        await sleep(backoffMs(failures + 1, retryWaits), undefined, { signal }).catch(() => undefined);
    }
  }

  async function member(signal: AbortSignal): Promise<void> {
    let tracker = createOffsetTracker();
    await ensureTopics(options, Object.values(logTopics), options.partitions);
    const topic = logTopics.raw;
    const log = await joinLog(
      { ...options, topic },
      {
        onAssigned(partitions) {
          tracker = createOffsetTracker();
          setStatus(true, `reads ${partitions.length} partitions of ${topic}: ${partitions.join(', ')}`);
        },
        onRevoked: () => (tracker = createOffsetTracker()),
      },
      logger,
    );
    const close = () => void log.close().catch(() => undefined);
    signal.addEventListener('abort', close, { once: true });
    let committing = Promise.resolve();
    const commit = () => {
      const offsets = tracker.takeCommittable();
      if (offsets.size === 0) return;
      // Refused during a rebalance; the messages come again then.
      committing = committing
        .then(() => log.commit(offsets))
        .catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'kafka: offsets not committed'));
    };
    const timer = setInterval(bounded(logger, 'kafka: commit', commit), commitMs);
    try {
      for await (const record of log.records) {
        if (ended(signal)) break;
        await push(record, tracker);
        while ((inFlight >= options.maxInFlight || sink.isFull()) && !ended(signal)) await room(signal);
      }
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', close);
      await committing;
      await log.close().catch(() => undefined);
    }
  }

  async function push(record: LogRecord, tracker: ReturnType<typeof createOffsetTracker>): Promise<void> {
    const { partition, offset } = record;
    tracker.delivered(partition, offset);
    inFlight += 1;
    const message = fromRecord(record, () => {
      inFlight -= 1;
      tracker.settled(partition, offset);
      roomier?.();
    });
    if (message.redelivered && message.origin !== undefined) await options.recall(message.origin);
    sink.push(message);
  }

  async function room(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      roomier = resolve;
      if (sink.isFull()) sink.onDrain(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    roomier = undefined;
  }

  return {
    start() {
      if (membership !== undefined) return;
      const abort = new AbortController();
      membership = { abort, running: run(abort.signal) };
    },
    async pause() {
      const mine = membership;
      membership = undefined;
      mine?.abort.abort();
      await mine?.running;
      setStatus(false, 'paused');
    },
    status: () => status,
  };
}
