// What the REST routes answer from: the database, the metrics and the parts' own status.
import { messageOf } from '../../contract/errors.ts';
import { latestMilkings } from '../db/query-milk.ts';
import { countOutbox, listParked, retryParked } from '../db/outbox.ts';
import { toDatabaseError, type Db } from '../db/pool.ts';
import { readiness, type Check, type OutboxState } from './health.ts';
import type { Library } from '../config/library.ts';
import type { PipelineMetrics } from '../ingest/metrics.ts';
import type { IngestPort } from '../ingest/submit.ts';
import type { OutboxWorker } from '../outbox/worker.ts';
import type { SystemSources } from './system-routes.ts';

/** The parts that answers come from. `state` changes while the connector starts and runs. */
export interface Parts {
  db: Db;
  /** For queries that may be slow. */
  queryDb: Db;
  metrics: PipelineMetrics;
  library: Pick<Library, 'refresh' | 'refused' | 'profiles'>;
  state: {
    database: Check;
    mqtt: { status(): Check } | undefined;
    ingest: IngestPort | undefined;
    intake: { pending(): { messages: number } } | undefined;
    leadership: { leads(): boolean; detail(): string } | undefined;
  };
  outbound: OutboxWorker;
  /** What people should know of the connection with Odoo although records get through. */
  odooWarnings: () => string[];
}

/** A database that is away is a 503, not an error of ours. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/** Connects the routes to the parts. */
export function systemSources({ db, metrics, library, state, outbound, odooWarnings }: Parts): SystemSources {
  async function outboxState(): Promise<OutboxState> {
    const counts = await asked(countOutbox(db));
    return {
      pending: counts.reduce((sum, { pending }) => sum + pending, 0),
      parked: counts.reduce((sum, { parked }) => sum + parked, 0),
      stale: counts.reduce((sum, { stale }) => sum + stale, 0),
      oldestPendingS: Math.round(Math.max(0, ...counts.map(({ oldestPendingS }) => oldestPendingS ?? 0))),
    };
  }
  return {
    registry: metrics.registry,
    async readiness() {
      let database = state.database;
      let outbox: OutboxState = { pending: 0, parked: 0, stale: 0, oldestPendingS: 0 };
      if (database.ok) {
        try {
          outbox = await outboxState();
        } catch (error) {
          database = { ok: false, detail: messageOf(error) };
        }
      }
      const mqtt = state.mqtt?.status() ?? { ok: false, detail: 'waits for the database' };
      const { leadership } = state;
      const standby = leadership?.leads() === false ? leadership.detail() : undefined;
      const target = outbound.status();
      const detail = [target.detail, ...odooWarnings()].join('; ');
      return readiness(database, mqtt, { ...target, detail }, outbox, standby);
    },
    async status() {
      const { messages, readings, duplicates, deadLetters, milkings } = metrics.totals;
      const target = outbound.status();
      const outbox = await outboxState();
      return {
        messages_received: messages,
        readings_written: readings,
        duplicates,
        dead_letters: deadLetters,
        milkings_closed: milkings,
        outbox_pending: outbox.pending,
        outbox_parked: outbox.parked,
        outbox_stale: outbox.stale,
        profiles: library.refused() ?? `${library.profiles.size} in use`,
        odoo_sent: target.sent,
        odoo_state: target.state,
        odoo_detail: target.detail,
      };
    },
    latestMilkings: (limit) => asked(latestMilkings(db, limit)),
    parked: (limit) => asked(listParked(db, { limit })),
    retryParked: (ids) => asked(retryParked(db, ids)),
  };
}
