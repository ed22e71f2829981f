// Collects messages into batches and writes one batch at a time; messages settle when their batch is committed.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../contract/backoff.ts';
import { AppError, messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { decodeMessage, type DecodeContext } from '../decode/message.ts';
import { createBatchIds } from './batch-id.ts';
import { toItem, type Arrivals, type Item } from './item.ts';
import { sizeOf, type IncomingMessage, type Outcome } from '../sources/message.ts';
import type { BatchResult, WriteBatch } from './writer.ts';

/** Sizes of config/connector.yaml. */
export interface IntakeLimits {
  batchMessages: number;
  batchMs: number;
  maxPendingBytes: number;
}

/** What happens along the way. */
export interface IntakeHooks {
  onBatch: (result: BatchResult, items: readonly Item[], durationMs: number) => void;
  /** The database does not take a batch: stop taking messages. */
  onDatabaseDown: (detail: string) => void;
  onDatabaseUp: () => void;
}

/** The way in. */
export interface Intake {
  push(message: IncomingMessage): void;
  /** More is waiting than memory should hold: hold the next message back until `onDrain`. */
  isFull(): boolean;
  /** Calls back once when there is room again. */
  onDrain(callback: () => void): void;
  pending(): { messages: number; bytes: number };
  /** Writes what is waiting, if the database takes it; the rest was never acknowledged and comes back. */
  stop(): Promise<void>;
}

const retryWaits = { baseMs: 250, capMs: 5_000 };

/** Makes the intake and starts it. */
export function startIntake(
  write: WriteBatch,
  context: DecodeContext,
  arrivals: Arrivals,
  limits: IntakeLimits,
  hooks: IntakeHooks,
  logger: Logger,
): Intake {
  const nextBatchId = createBatchIds();
  let queue: IncomingMessage[] = [];
  let bytes = 0;
  /** How many of the queue are being written, and since when the first of the others has waited. */
  let writing = 0;
  let waitingSince = 0;
  let stopping = false;
  let wake: (() => void) | undefined;
  let full: (() => void) | undefined;
  let drained: (() => void)[] = [];

  async function run(): Promise<void> {
    while (!stopping || queue.length > 0) {
      if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      if (queue.length < limits.batchMessages && !stopping) await gather();
      const batch = queue.slice(0, limits.batchMessages);
      writing = batch.length;
      const outcomes = batch.length > 0 ? await commit(batch) : [];
      if (outcomes === undefined) return;
      writing = 0;
      queue = queue.slice(batch.length);
      bytes -= batch.reduce((sum, message) => sum + sizeOf(message), 0);
      for (const [index, message] of batch.entries()) message.settle(outcomes[index] ?? { kind: 'ignored' });
      if (!isFull()) {
        const waiting = drained;
        drained = [];
        for (const callback of waiting) callback();
      }
    }
  }

  /** Waits for a full batch, but not longer than the first message may wait; while the last batch was written it did. */
  async function gather(): Promise<void> {
    const waitedMs = performance.now() - waitingSince;
    if (waitedMs >= limits.batchMs) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      full = resolve;
      timer = setTimeout(resolve, limits.batchMs - waitedMs);
    });
    full = undefined;
    clearTimeout(timer);
  }

  /** Writes a batch, however long the database takes to come back; undefined when we stop and it does not. */
  async function commit(batch: readonly IncomingMessage[]): Promise<readonly Outcome[] | undefined> {
    const batchId = nextBatchId();
    const items = batch.map((message) =>
      toItem(
        message,
        message.decoded ?? decodeMessage(message.topic, message.payload, message.arrivedAt, context),
        arrivals,
      ),
    );
    for (let failures = 0; ; failures++) {
      const startedAt = performance.now();
      try {
        const result = await write(items, batchId, failures);
        if (failures > 0) hooks.onDatabaseUp();
        const durationMs = performance.now() - startedAt;
        arrivals.clock.committed(
          items.flatMap(({ stamp }) => stamp ?? []),
          Date.now(),
        );
        hooks.onBatch(result, items, durationMs);
        tell(batchId, result, items.length, durationMs);
        return result.outcomes;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (failures === 0) hooks.onDatabaseDown(error.message);
        const line = { batch_id: batchId, messages: items.length, error: error.message, failures };
        logger.warn(line, 'batch not written, will try again');
        if (stopping && failures > 0) return undefined;
        await sleep(backoffMs(failures + 1, retryWaits));
      }
    }
  }

  /** What went well is for those who look closely. */
  function tell(batchId: string, result: BatchResult, messages: number, durationMs: number): void {
    const line = {
      batch_id: batchId,
      messages,
      readings: result.readings,
      duplicates: result.duplicates,
      conflicts: result.conflicts,
      dead_letters: result.deadLetters,
      duration_ms: Math.round(durationMs),
    };
    if (result.deadLetters > 0) logger.info(line, 'batch with dead letters');
    else if (result.conflicts > 0) logger.info(line, 'batch with values that differ from those stored');
    else logger.debug(line, 'batch');
  }

  const isFull = () => bytes > limits.maxPendingBytes;
  const running = run().catch((error: unknown) => {
    // Only a bug ends the loop; without intake the process is of no use, and unacknowledged messages come back.
    logger.fatal({ error: messageOf(error) }, 'intake failed');
    process.exit(1);
  });

  return {
    push(message) {
      if (queue.length === writing) waitingSince = performance.now();
      queue.push(message);
      bytes += sizeOf(message);
      wake?.();
      wake = undefined;
      if (queue.length >= limits.batchMessages) full?.();
    },
    isFull,
    onDrain: (callback) => drained.push(callback),
    pending: () => ({ messages: queue.length, bytes }),
    async stop() {
      stopping = true;
      wake?.();
      full?.();
      await running;
    },
  };
}
