// From the broker into the log: batches are appended one after the other, and settle when the log has them.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../contract/backoff.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { remember } from '../quality/bounded.ts';
import type { LogWriter } from './kafka-client.ts';
import { toEntry } from './kafka-record.ts';
import type { IncomingMessage } from './message.ts';
import type { MessageSink } from './mqtt-source.ts';

/** What the bridge works with. */
export interface BridgeOptions {
  writer: LogWriter;
  /** The key of a topic: farm/device, so that a device's messages stay in order. */
  keyOf: (topic: string) => string;
  maxPayloadBytes: number;
  maxPendingBytes: number;
  /** The log takes nothing (in words), or takes it again: stop and start the broker's messages. */
  onLogDown: (detail: string) => void;
  onLogUp: () => void;
}

/** A running bridge. */
export interface Bridge extends MessageSink {
  counts(): { forwarded: number; pending: number };
  stop(): Promise<void>;
}

/** A batch in the log has to stay under Kafka's usual limit of 1 MB, whatever partitions it falls into. */
const maxBatch = { messages: 5_000, bytes: 900_000 };
const retryWaits = { baseMs: 250, capMs: 5_000 };

/** Starts the bridge. */
export function startBridge(options: BridgeOptions, logger: Logger): Bridge {
  const moments = createMoments();
  let queue: IncomingMessage[] = [];
  let bytes = 0;
  let forwarded = 0;
  let stopping = false;
  let wake: (() => void) | undefined;
  let drained: (() => void)[] = [];
  const isFull = () => bytes > options.maxPendingBytes;
  const sizeOf = ({ topic, payload }: IncomingMessage) =>
    Math.min(payload.length, options.maxPayloadBytes + 1) + topic.length + 200;

  async function run(): Promise<void> {
    while (!stopping || queue.length > 0) {
      if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const batch = nextBatch();
      if (batch.length === 0) continue;
      if (!(await append(batch))) return;
      queue = queue.slice(batch.length);
      forwarded += batch.length;
      for (const message of batch) {
        bytes -= sizeOf(message);
        message.settle({ kind: 'ignored' });
      }
      const waiting = isFull() ? [] : drained.splice(0);
      for (const callback of waiting) callback();
    }
  }

  function nextBatch(): IncomingMessage[] {
    let size = 0;
    const end = queue.findIndex((message, index) => {
      size += sizeOf(message);
      return index > 0 && (index >= maxBatch.messages || size > maxBatch.bytes);
    });
    return end < 0 ? [...queue] : queue.slice(0, end);
  }

  /** Appends a batch, however long the log takes to come back; false when we stop and it does not. */
  async function append(batch: readonly IncomingMessage[]): Promise<boolean> {
    const entries = batch.map((message) => {
      const key = options.keyOf(message.topic);
      return toEntry(message, key, moments(key, message.arrivedAt), options.maxPayloadBytes);
    });
    for (let failures = 0; ; failures++) {
      try {
        await options.writer.append(entries);
        if (failures > 0) options.onLogUp();
        return true;
      } catch (error) {
        if (failures === 0) options.onLogDown(messageOf(error));
        logger.warn({ error: messageOf(error), failures }, 'batch not in the log, will try again');
        if (stopping && failures > 0) return false;
        await sleep(backoffMs(failures + 1, retryWaits));
      }
    }
  }

  const running = run();
  return {
    push(message) {
      queue.push(message);
      bytes += sizeOf(message);
      wake?.();
      wake = undefined;
    },
    isFull,
    onDrain: (callback) => drained.push(callback),
    counts: () => ({ forwarded, pending: queue.length }),
    async stop() {
      stopping = true;
      wake?.();
      await running;
      drained = [];
    },
  };
}

/** Moments of arrival, never the same twice for a key: messages without a time are stored under them. */
function createMoments(): (key: string, arrivedAt: number) => number {
  const latest = new Map<string, number>();
  return (key, arrivedAt) => {
    const at = Math.max(arrivedAt, (latest.get(key) ?? 0) + 1);
    remember(latest, key, at);
    return at;
  };
}
