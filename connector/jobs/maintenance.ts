// The scheduled jobs: silent milkings, what Odoo knows of devices, old rows.
import { purgeStamps } from '../db/arrival-stamps.ts';
import { noteClocks, noteUnread } from '../db/clocks.ts';
import { purgeDeadLetters } from '../db/dead-letters.ts';
import { noteSeen, publishSeen, type Dimensions } from '../db/dimensions.ts';
import { purgeKeys } from '../db/idempotency.ts';
import { silentMilkings } from '../db/milking-load.ts';
import { purgeSent } from '../db/outbox.ts';
import { inTransaction, type Db } from '../db/pool.ts';
import { refreshQuality } from '../db/quality.ts';
import { closeSilent } from '../ingest/milkings.ts';
import type { MilkingSettings, PublishedMilking } from '../ingest/publish-milkings.ts';
import type { Job } from './scheduler.ts';

/** What the jobs work with. */
export interface MaintenanceContext {
  db: Db;
  dimensions: Dimensions;
  milkings: MilkingSettings;
  silenceSeconds: number;
  sentDays: number;
  deadLetterDays: number;
  /** Takes what was heard of devices (by id, epoch ms) since the last call. */
  takeSeen: () => ReadonlyMap<number, number>;
  /** Takes how far devices' clocks are off (by id, seconds) where that has changed. */
  takeClockOffsets: () => ReadonlyMap<number, number>;
  /** Takes what could not be read of devices' messages (by id) since the last call. */
  takeUnread: () => ReadonlyMap<number, string>;
  /** Silent milkings were closed. */
  onClosed: (milkings: readonly PublishedMilking[]) => void;
}

/** Odoo calls a device online for 5 minutes after it was heard; this keeps it so. */
const presenceSeconds = 100;

/** The jobs of one connector. */
export function maintenanceJobs(context: MaintenanceContext): Job[] {
  const { db, dimensions } = context;
  return [
    {
      name: 'close silent milkings',
      cron: '*/5 * * * * *',
      async run() {
        const published = await inTransaction(db, async (client) => {
          const ids = await silentMilkings(client, context.silenceSeconds);
          return closeSilent(client, ids, (id) => dimensions.devicesById.get(id), context.milkings);
        });
        context.onClosed(published);
      },
    },
    {
      name: 'note when devices were heard',
      cron: '*/10 * * * * *',
      async run() {
        await noteSeen(db, context.takeSeen());
        await noteClocks(db, context.takeClockOffsets());
        await noteUnread(db, context.takeUnread());
      },
      onEveryMember: true,
    },
    {
      name: 'tell Odoo which devices are alive',
      cron: '*/20 * * * * *',
      run: () => inTransaction(db, (client) => publishSeen(client, presenceSeconds)),
    },
    {
      name: 'data quality of today and yesterday',
      // Both days are read from end to end: 15 s for each day of 100 readings a second.
      cron: '0 5 * * * *',
      async run() {
        await refreshQuality(db, 2);
      },
    },
    {
      name: 'delete old rows',
      cron: '0 17 3 * * *',
      async run() {
        await purgeKeys(db);
        await purgeStamps(db);
        await purgeSent(db, context.sentDays);
        await purgeDeadLetters(db, context.deadLetterDays);
      },
    },
  ];
}
