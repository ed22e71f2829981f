// Prometheus gauges that are asked at each scrape: outbox, connections, and whether the parts are there.
import { Gauge, type Registry } from 'prom-client';
import { countOutbox } from '../db/outbox.ts';
import type { Db } from '../db/pool.ts';
import type { Check } from '../rest/health.ts';
import type { Library } from '../config/library.ts';

/** Where the gauges look. */
export interface GaugeSources {
  db: Db;
  queryDb: Db;
  library: Pick<Library, 'refused'>;
  state: { database: Check; mqtt: { status(): Check } | undefined };
}

/** Registers how many devices have a wrong clock; counted anew at each scrape. */
export function registerClockGauge(registry: Registry, counts: () => Readonly<Record<string, number>>): void {
  new Gauge({
    name: 'smart_dairy_devices_clock_off',
    help: 'Devices whose clock is off by more than intake.clock_tolerance_seconds; behind can also be late data',
    labelNames: ['direction'],
    registers: [registry],
    collect() {
      for (const [direction, count] of Object.entries(counts())) this.set({ direction }, count);
    },
  });
}

/** Registers the gauges. While the database is away, the outbox gauges keep their last values. */
export function registerGauges(registry: Registry, { db, queryDb, library, state }: GaugeSources): void {
  const registers = [registry];
  new Gauge({
    name: 'smart_dairy_up',
    help: '1 while the part answers',
    labelNames: ['part'],
    registers,
    collect() {
      this.set({ part: 'database' }, state.database.ok ? 1 : 0);
      this.set({ part: 'mqtt' }, state.mqtt?.status().ok === true ? 1 : 0);
    },
  });
  new Gauge({
    name: 'smart_dairy_database_connections',
    help: 'Connections of the pools: for data and jobs, and for queries over REST',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      for (const [name, pool] of Object.entries({ data: db, query: queryDb })) {
        this.set({ pool: name, state: 'open' }, pool.totalCount);
        this.set({ pool: name, state: 'idle' }, pool.idleCount);
        this.set({ pool: name, state: 'waiting' }, pool.waitingCount);
      }
    },
  });
  new Gauge({
    name: 'smart_dairy_profiles_refused',
    help: '1 while the files of profiles and metrics are wrong and older ones are in use',
    registers,
    collect() {
      this.set(library.refused() === undefined ? 0 : 1);
    },
  });
  const oldest = new Gauge({
    name: 'smart_dairy_outbox_oldest_seconds',
    help: 'Age of the oldest record that Odoo does not have',
    labelNames: ['kind'],
    registers,
  });
  new Gauge({
    name: 'smart_dairy_outbox_records',
    help: 'Records that wait for Odoo, are parked, or of which Odoo has other content (stale)',
    labelNames: ['kind', 'state'],
    registers,
    async collect() {
      if (!state.database.ok) return;
      const counts = await countOutbox(db).catch(() => undefined);
      if (counts === undefined) return;
      this.reset();
      oldest.reset();
      for (const { kind, pending, parked, stale, oldestPendingS } of counts) {
        this.set({ kind, state: 'pending' }, pending);
        this.set({ kind, state: 'parked' }, parked);
        this.set({ kind, state: 'stale' }, stale);
        oldest.set({ kind }, oldestPendingS ?? 0);
      }
    },
  });
}
