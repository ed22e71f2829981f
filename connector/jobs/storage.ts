// The scheduled jobs of the storage life cycle: rollups, percentiles, partitions ahead, retention.
import type { Logger } from '../../contract/runtime/logger.ts';
import { archiveOldDays } from './archive.ts';
import type { Db } from '../db/pool.ts';
import { applyRetention, prepareAhead, refreshPercentiles, refreshRollups } from '../db/storage.ts';
import type { Job } from './scheduler.ts';

/** What the jobs work with. */
export interface StorageJobsContext {
  db: Db;
  /** Where readings go before they are dropped; empty for nowhere. */
  archiveFolder: string;
  logger: Logger;
}

/** The jobs of one connector; a second connector's do nothing while they run. */
export function storageJobs({ db, archiveFolder, logger }: StorageJobsContext): Job[] {
  return [
    { name: 'refresh rollups', cron: '40 * * * * *', run: () => refreshRollups(db) },
    {
      name: 'percentiles of today and yesterday',
      cron: '50 */15 * * * *',
      run: () => refreshPercentiles(db, 1),
    },
    // What came late, and what was there before the product had percentiles.
    { name: 'percentiles of all days', cron: '50 47 3 * * *', run: () => refreshPercentiles(db) },
    // Hourly and not daily: a run that meets a lock or a database that is away is made up for soon.
    { name: 'make partitions ahead', cron: '20 4 * * * *', run: () => prepareAhead(db) },
    {
      name: 'drop old data',
      cron: '20 34 * * * *',
      async run() {
        const archived = archiveFolder === '' ? [] : await archiveOldDays(db, archiveFolder);
        for (const { day, rows, file } of archived)
          logger.info({ day, rows, file }, 'day archived and dropped');
        const dropped = await applyRetention(db);
        if (dropped > 0) logger.info({ dropped }, 'old chunks or partitions dropped');
      },
    },
  ];
}
