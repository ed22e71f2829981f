// Odoo → connector: polls every kind, and pulls a kind at once when Odoo says that it changed.
import { Counter, Gauge, type Registry } from 'prom-client';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Db } from '../db/pool.ts';
import { pullKinds, type PullKind } from '../db/pulled/index.ts';
import { OdooError } from '../odoo/errors.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { backoffMs } from '../../contract/backoff.ts';
import { createSleeper } from '../outbox/sleeper.ts';
import { pullKind } from './pull.ts';

/** What the worker needs. */
export interface SyncConfig {
  db: Db;
  client: OdooClient;
  logger: Logger;
  registry: Registry;
  pollMs: number;
  pageSize: number;
  knowsProfile: (name: string) => boolean;
  /** Of several connectors one pulls: whether it is this one. */
  isMyTurn: () => boolean;
}

/** How the last round went, for status pages. */
export interface SyncStatus {
  failed: boolean;
  /** Why it failed. */
  detail: string;
  lastAt: Date | undefined;
}

/** The running worker. */
export interface SyncWorker {
  start(): void;
  /** Pulls these kinds now. */
  wake(kinds: readonly PullKind[]): void;
  status(): SyncStatus;
  stop(): Promise<void>;
}

const trouble = { baseMs: 1_000, capMs: 60_000 };
const heldBackMs = 200;
const askTurnMs = 5_000;

/** Makes a worker; nothing runs before start(). */
export function createSyncWorker(config: SyncConfig): SyncWorker {
  const { db, client, logger, registry } = config;
  const registers = [registry];
  const records = new Counter({
    name: 'smart_dairy_odoo_pulled_total',
    help: 'Records taken from Odoo by kind',
    labelNames: ['kind'],
    registers,
  });
  new Gauge({
    name: 'smart_dairy_odoo_pull_age_seconds',
    help: 'Seconds since everything was last pulled from Odoo',
    registers,
    collect() {
      if (status.lastAt !== undefined) this.set((Date.now() - status.lastAt.getTime()) / 1000);
    },
  });
  const status: SyncStatus = { failed: false, detail: '', lastAt: undefined };
  const sleeper = createSleeper();
  const abort = new AbortController();
  const wanted = new Set<PullKind>(pullKinds);
  /** Kinds to be asked for again soon: a transaction in Odoo has not ended. */
  const later = new Set<PullKind>();
  let running: Promise<void> | undefined;

  async function round(kinds: readonly PullKind[]): Promise<void> {
    for (const kind of kinds) {
      // Before pulling: what changes meanwhile asks for the next round.
      wanted.delete(kind);
      const { count, heldBack } = await pullKind(kind, { ...config, db, client, abort: abort.signal }).catch(
        (error: unknown) => {
          wanted.add(kind);
          throw error;
        },
      );
      if (heldBack) later.add(kind);
      if (count === 0) continue;
      records.inc({ kind }, count);
      logger.info({ kind, records: count }, 'taken from Odoo');
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    let pollAt = 0;
    while (!abort.signal.aborted) {
      if (!config.isMyTurn()) {
        await sleeper.sleep(askTurnMs);
        continue;
      }
      if (Date.now() >= pollAt) for (const kind of pullKinds) wanted.add(kind);
      const kinds = pullKinds.filter((kind) => wanted.has(kind));
      try {
        await round(kinds);
        if (failures > 0) logger.info('pulling from Odoo works again');
        failures = 0;
        if (kinds.length === pullKinds.length) {
          pollAt = Date.now() + config.pollMs;
          status.lastAt = new Date();
        }
        status.failed = false;
      } catch (error) {
        if (abort.signal.reason !== undefined) return;
        failures += 1;
        status.failed = true;
        status.detail = messageOf(error);
        if (failures === 1) logger.warn({ error: messageOf(error) }, 'cannot pull from Odoo');
      }
      if (wanted.size > 0 && failures === 0) continue;
      for (const kind of later) wanted.add(kind);
      const soon = later.size > 0 ? Math.min(heldBackMs, pollAt - Date.now()) : pollAt - Date.now();
      later.clear();
      const waitMs = failures > 0 ? backoffMs(failures, trouble) : soon;
      await sleeper.sleep(Math.max(0, waitMs));
    }
  }

  return {
    start() {
      running ??= run();
    },
    wake(kinds) {
      for (const kind of kinds) wanted.add(kind);
      sleeper.wake();
    },
    status: () => ({ ...status }),
    async stop() {
      abort.abort(new OdooError('unreachable', 'the connector stops'));
      sleeper.wake();
      await running;
    },
  };
}
