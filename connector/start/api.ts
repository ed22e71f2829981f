// Features that are there for the API alone: data in, questions, commands to devices.
import { AppError } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { createCommandDesk, type CommandDesk } from '../commands/desk.ts';
import type { IngestPort } from '../ingest/submit.ts';
import type { LiveRecords } from '../live/records.ts';
import { alertRoutes } from '../rest/alert-routes.ts';
import { analyticsRoutes } from '../rest/analytics-routes.ts';
import { collectionRoutes } from '../rest/collection-routes.ts';
import { commandRoutes } from '../rest/command-routes.ts';
import { dashboardRoutes } from '../rest/dashboard-routes.ts';
import { deadLetterRoutes } from '../rest/dead-letter-routes.ts';
import { deviceRoutes } from '../rest/device-routes.ts';
import { ingestRoutes } from '../rest/ingest-routes.ts';
import { queryRoutes } from '../rest/query-routes.ts';
import { feature, type Context, type Feature } from './context.ts';
import { restSettings } from './settings.ts';

/** Data in by REST, and dead letters in again. The line behind it may come later, or stand by. */
export function intakeDoor({ config, db, library, state }: Context): Feature {
  const port = (): IngestPort => {
    const { database, ingest, leadership } = state;
    if (leadership?.leads() === false)
      throw new AppError('transient', `this connector is the standby: ${leadership.detail()}`);
    if (!database.ok) throw new AppError('transient', `the database is away: ${database.detail}`);
    if (ingest === undefined) throw new AppError('transient', 'the connector is starting');
    return ingest;
  };
  return feature({
    routes: [
      ...ingestRoutes(port, config.rest.max_body_bytes),
      ...deadLetterRoutes(db, port, () => library.refresh()),
    ],
  });
}

/** What people and their programs ask. */
export function queryFeature({ config, db, queryDb, state }: Context): Feature {
  const { milk, grade } = restSettings(config);
  return feature({
    routes: [
      ...collectionRoutes(queryDb),
      ...queryRoutes(queryDb, () => state.intake?.pending().messages ?? 0),
      ...deviceRoutes(queryDb),
      ...alertRoutes(db, queryDb),
      ...dashboardRoutes(queryDb, milk),
      ...analyticsRoutes(queryDb, milk, grade),
    ],
  });
}

/** Commands to devices. The desk is Odoo's way to them too. */
export function commandFeature(
  { db, state, library }: Pick<Context, 'db' | 'state' | 'library'>,
  live: LiveRecords,
  logger: Logger,
): Feature & { desk: CommandDesk } {
  const publish = () => state.mqtt?.publish;
  const profileOf = (name: string) => library.profiles.get(name);
  const desk = createCommandDesk({ db, publish, profileOf, onChanged: live.commands, logger });
  return { ...feature({ jobs: desk.jobs, routes: commandRoutes(db, desk), stop: () => desk.stop() }), desk };
}
