// All routes of the connector, and what they answer from.
import { AppError } from '../../contract/errors.ts';
import type { CommandDesk } from '../commands/desk.ts';
import type { IngestPort } from '../ingest/submit.ts';
import { alertRoutes } from './alert-routes.ts';
import { analyticsRoutes, type Grade } from './analytics-routes.ts';
import { commandRoutes } from './command-routes.ts';
import { dashboardRoutes, type MilkUnits } from './dashboard-routes.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { deviceRoutes } from './device-routes.ts';
import { ingestRoutes } from './ingest-routes.ts';
import { odooRoutes, type OdooDesk } from './odoo-routes.ts';
import { queryRoutes } from './query-routes.ts';
import type { Route } from './route.ts';
import { systemSources, type Parts } from './sources.ts';
import { systemRoutes } from './system-routes.ts';

/** Settings of config/connector.yaml. */
export interface RouteSettings {
  maxBodyBytes: number;
  milk: MilkUnits;
  grade: Grade;
}

/** The routes over the connector's parts. */
export function allRoutes(
  parts: Parts & { odoo: OdooDesk; commands: CommandDesk },
  settings: RouteSettings,
): Route[] {
  const port = (): IngestPort => {
    const { database, ingest, leadership } = parts.state;
    if (leadership?.leads() === false)
      throw new AppError('transient', `this connector is the standby: ${leadership.detail()}`);
    if (!database.ok) throw new AppError('transient', `the database is away: ${database.detail}`);
    if (ingest === undefined) throw new AppError('transient', 'the connector is starting');
    return ingest;
  };
  return [
    ...systemRoutes(systemSources(parts)),
    ...ingestRoutes(port, settings.maxBodyBytes),
    ...deadLetterRoutes(parts.db, port, () => parts.library.refresh()),
    ...queryRoutes(parts.queryDb, () => parts.state.intake?.pending().messages ?? 0),
    ...deviceRoutes(parts.queryDb),
    ...commandRoutes(parts.db, parts.commands),
    ...alertRoutes(parts.db, parts.queryDb),
    ...dashboardRoutes(parts.queryDb, settings.milk),
    ...analyticsRoutes(parts.queryDb, settings.milk, settings.grade),
    ...odooRoutes(parts.odoo),
  ];
}
