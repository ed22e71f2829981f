// The outbox worker: one lane a record kind, a few of them at a time, until stopped.
import PQueue from 'p-queue';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Queryable } from '../db/pool.ts';
import { mappings, type RecordMapping } from '../odoo/mapping/index.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { backoffMs } from './backoff.ts';
import type { Waits } from './decide.ts';
import { createLane, type Lane, type OutboxResult, type Pause } from './lane.ts';
import type { OutboxMetrics } from './metrics.ts';
import { createSleeper, type Sleeper } from './sleeper.ts';
import { createTarget, type TargetStatus } from './target.ts';

/** Sizes and times; the defaults suit one Odoo in the same house. */
export interface OutboxOptions {
  /** Records per call. */
  batchSize: number;
  /** Longer than the client's call timeout, else a second worker repeats what is under way. */
  leaseMs: number;
  /** How often the outbox is looked at without a wake-up. */
  pollMs: number;
  /** Kinds that are sent at the same time. */
  concurrency: number;
  /** How long stop() lets running calls finish. */
  stopGraceMs: number;
  waits: Waits;
}

export const defaultOutboxOptions: OutboxOptions = {
  batchSize: 500,
  leaseMs: 60_000,
  pollMs: 1_000,
  concurrency: 3,
  stopGraceMs: 5_000,
  waits: {
    target: { baseMs: 1_000, capMs: 60_000 },
    record: { baseMs: 5_000, capMs: 600_000 },
    probeMs: 30_000,
  },
};

/** Waits while the database fails: it costs little to ask it, and it is our own. */
const databaseWaits = { baseMs: 250, capMs: 5_000 };

/** What the worker needs. Without a client the records wait, and the status says so. */
export interface OutboxWorkerConfig {
  db: Queryable;
  client: OdooClient | undefined;
  /** How each kind gets into Odoo; without it, into our addons. */
  kinds?: Readonly<Record<string, RecordMapping>>;
  logger: Logger;
  options?: Partial<OutboxOptions>;
  metrics?: OutboxMetrics;
  /** After a record's result is in the database. */
  onResult?: (kind: string, sourceId: string, result: OutboxResult) => void;
  /** Once when Odoo refuses key or rights, and once when it takes records again. */
  onDenied?: (detail: string) => void;
  onRecovered?: () => void;
}

/** The running worker. */
export interface OutboxWorker {
  start(): void;
  /** There may be new records. Only a hint: the worker looks by itself too. */
  wake(): void;
  status(): TargetStatus;
  /** Ends waits, lets running calls finish for a moment, gives unfinished records back. */
  stop(): Promise<void>;
}

/** Makes a worker; nothing runs before start(). */
export function createOutboxWorker(config: OutboxWorkerConfig): OutboxWorker {
  const { client, logger, metrics } = config;
  const options = { ...defaultOutboxOptions, ...config.options };
  const abort = new AbortController();
  let stopping = false;
  const target = createTarget(
    client === undefined ? 'not_configured' : 'unreachable',
    client === undefined ? 'ODOO_URL is not set: records wait in the outbox' : 'not asked yet',
    logger,
    guardHooks(config, logger),
  );
  const queue = new PQueue({ concurrency: options.concurrency });
  const lanes: { lane: Lane; sleeper: Sleeper; troubled: boolean }[] =
    client === undefined
      ? []
      : Object.entries(config.kinds ?? mappings).map(([kind, mapping]) => ({
          lane: createLane(kind, mapping, {
            db: config.db,
            client,
            target,
            logger,
            metrics,
            onResult: guardOnResult(config, logger),
            waits: options.waits,
            batchSize: options.batchSize,
            leaseMs: options.leaseMs,
            pollMs: options.pollMs,
            abort: abort.signal,
            stopping: () => stopping,
          }),
          sleeper: createSleeper(),
          troubled: false,
        }));
  let running: Promise<unknown> | undefined;

  /** A lane that got through tells the others that waiting has an end. */
  function onPause(entry: (typeof lanes)[number], reason: Pause['reason']): void {
    const recovered = entry.troubled && reason !== 'trouble';
    entry.troubled = reason === 'trouble';
    if (!recovered) return;
    for (const other of lanes) if (other.troubled) other.sleeper.wake();
  }

  async function run(entry: (typeof lanes)[number], onFirst: () => void): Promise<void> {
    let databaseFailures = 0;
    while (!stopping) {
      let waitMs: number;
      try {
        const pause = await queue.add(() => entry.lane.cycle());
        databaseFailures = 0;
        onPause(entry, pause.reason);
        waitMs = pause.waitMs;
      } catch (error) {
        // Only the database throws here. Leases run out by themselves; what Odoo has already comes back as unchanged.
        databaseFailures += 1;
        if (databaseFailures === 1)
          logger.warn({ kind: entry.lane.kind, error: messageOf(error) }, 'outbox: database trouble');
        waitMs = backoffMs(databaseFailures, databaseWaits, Math.random());
      }
      onFirst();
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- stop() runs while we wait above
      if (waitMs > 0 && !stopping) await entry.sleeper.sleep(waitMs);
    }
    onFirst();
  }

  async function runAll(): Promise<void> {
    const [first, ...others] = lanes;
    if (first === undefined) return;
    // The first kind gets a head start: devices before what they measured.
    const headStart = Promise.withResolvers<undefined>();
    const firstLane = run(first, () => headStart.resolve(undefined));
    await headStart.promise;
    await Promise.all([firstLane, ...others.map((entry) => run(entry, () => undefined))]);
  }

  return {
    start: () => {
      running ??= runAll();
    },
    wake() {
      for (const { sleeper, troubled } of lanes) if (!troubled) sleeper.wake();
    },
    status: () => target.status(),
    async stop() {
      stopping = true;
      for (const { sleeper } of lanes) sleeper.wake();
      const timer = setTimeout(() => abort.abort(), options.stopGraceMs);
      await running;
      clearTimeout(timer);
    },
  };
}

// A hook belongs to somebody else: its mistakes must not stop records.
function guardHooks(config: OutboxWorkerConfig, logger: Logger) {
  return {
    onDenied: (detail: string) => guarded(logger, () => config.onDenied?.(detail)),
    onRecovered: () => guarded(logger, () => config.onRecovered?.()),
    onState: (state: TargetStatus['state']) => guarded(logger, () => config.metrics?.state(state)),
  };
}

function guardOnResult({ onResult }: OutboxWorkerConfig, logger: Logger): OutboxWorkerConfig['onResult'] {
  if (onResult === undefined) return undefined;
  return (kind, sourceId, result) => guarded(logger, () => onResult(kind, sourceId, result));
}

function guarded(logger: Logger, work: () => void): void {
  try {
    work();
  } catch (error) {
    logger.error({ error: messageOf(error) }, 'outbox: a hook failed');
  }
}
