// Jobs that stand for themselves: they work on what is in the database alone.
import type { Logger } from '../../contract/runtime/logger.ts';
import { clockJob } from '../alerts/clock.ts';
import { presenceJob } from '../alerts/presence.ts';
import { storageJobs } from '../jobs/storage.ts';
import { feature, type Context, type Feature } from './context.ts';
import { clockSettings, presenceSettings } from './settings.ts';

/** The life cycle of stored data, and who is there. */
export const standingJobs = ({ config, db }: Context, logger: Logger): Feature =>
  feature({
    jobs: [
      ...storageJobs({ db, archiveFolder: config.storage.archive_folder, logger }),
      presenceJob(db, presenceSettings(config)),
      clockJob(db, clockSettings(config)),
    ],
  });
