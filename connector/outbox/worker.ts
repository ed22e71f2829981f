// The outbox worker: lanes of every record kind, a few of them at a time, until stopped.
import PQueue from 'p-queue';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Queryable } from '../db/pool.ts';
import { mappings, type RecordMapping } from '../odoo/mapping/index.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { backoffMs } from '../../contract/backoff.ts';
import { createBatchSize } from './batch-size.ts';
import { createLane, type Lane, type Pause } from './lane.ts';
import type { OutboxMetrics } from './metrics.ts';
import { defaultOutboxOptions, type OutboxOptions } from './options.ts';
import type { OnResult } from './settler.ts';
import { createSleeper, type Sleeper } from './sleeper.ts';
import { createTarget, type TargetStatus } from './target.ts';

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
  onResult?: OnResult;
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
      : laneNames(config.kinds ?? mappings, options.batchSize).map(({ name, kind, mapping, size }) => ({
          lane: createLane(name, kind, mapping, {
            db: config.db,
            client,
            target,
            logger,
            metrics,
            onResult: guardOnResult(config, logger),
            options,
            size,
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
          logger.warn({ lane: entry.lane.name, error: messageOf(error) }, 'outbox: database trouble');
        waitMs = backoffMs(databaseFailures, databaseWaits);
      }
      onFirst();
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- stop() runs while we wait above
      if (waitMs > 0 && !stopping) await entry.sleeper.sleep(waitMs);
    }
    await entry.lane.close().catch((error: unknown) => {
      logger.warn({ lane: entry.lane.name, error: messageOf(error) }, 'outbox: leases are left to their end');
    });
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

// A kind has as many lanes as it may have calls at once; leases keep them out of each other's way, and what one learns of the
// size of calls all know.
function laneNames(kinds: Readonly<Record<string, RecordMapping>>, batchSize: number) {
  return Object.entries(kinds).flatMap(([kind, mapping]) => {
    const size = createBatchSize(batchSize);
    return Array.from({ length: mapping.callsAtOnce ?? 1 }, (_, index) => ({
      name: index === 0 ? kind : `${kind} ${index + 1}`,
      kind,
      mapping,
      size,
    }));
  });
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
