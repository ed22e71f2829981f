// npm run db -- status|backup|restore|restore-archive, on the database of DATABASE_URL, or on the one that npm start set up.
import { restoreDay } from '../../../connector/jobs/archive.ts';
import { readJobs } from '../../../connector/db/jobs.ts';
import { openPool, type Db } from '../../../connector/db/pool.ts';
import { readStorageStatus } from '../../../connector/db/storage.ts';
import { messageOf } from '../../../contract/errors.ts';
import { atMost, oneOf, readArgs, runCommand, UsageError } from '../../../contract/runtime/command-line.ts';
import { createLogger } from '../../../contract/runtime/logger.ts';
import { backUp, restore } from '../backup/backup.ts';
import { adminUrl } from '../stack/database.ts';
import { readEnvFile } from '../stack/env-file.ts';
import { openInstance, readSettings } from '../stack/instance.ts';
import { formatBytes, formatStatus } from './status.ts';

const usage = `Usage: npm run db -- COMMAND
  status                     sizes, chunks or partitions, rollups and jobs
  backup FILE                the whole database into one file, while everything runs
  restore FILE --into NAME   a backup into a new database NAME on the same server; ADMIN_DATABASE_URL
                             names a superuser where npm start did not set the server up
  restore-archive DAY [--from FOLDER] [--days 7]
                             an archived day (2026-08-01) back into iot.reading, for so many days
Takes DATABASE_URL from the environment, else from .stack/env.`;

function databaseUrl(): string {
  const url = process.env['DATABASE_URL'] ?? readEnvFile(openInstance('demo'))?.['DATABASE_URL'];
  if (url === undefined) throw new Error('Which database? Set DATABASE_URL, or run npm start first.');
  return url;
}

function superuserUrl(): string {
  const settings = readSettings(openInstance('demo'));
  const url = process.env['ADMIN_DATABASE_URL'] ?? (settings === undefined ? undefined : adminUrl(settings));
  if (url === undefined)
    throw new Error('Who may make databases? Set ADMIN_DATABASE_URL to the address of a superuser.');
  return url;
}

async function withDb<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const db = openPool(databaseUrl(), 1, createLogger('db', 'warn'));
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}

interface Options {
  into: string;
  from: string;
  days: string;
}

type Command = (argument: string, options: Options) => Promise<string>;

const commands = {
  status: () =>
    withDb(async (db) => formatStatus(await readStorageStatus(db), await readJobs(db), new Date())).catch(
      (error: unknown) => {
        throw new Error(
          `The database of ${placeOf(databaseUrl())} does not answer as expected: ${messageOf(error)}
Is it running (npm start, npm run stack -- up), and did the connector bring it to this version?`,
        );
      },
    ),
  backup: async (file: string) => {
    if (file === '') throw new UsageError('backup into which file?');
    return `${file}: ${formatBytes(await backUp(databaseUrl(), file))}`;
  },
  restore: async (file: string, { into }: Options) => {
    if (file === '') throw new UsageError('restore which file?');
    if (into === '') throw new UsageError('--into NAME is missing: the new database');
    const { host, pathname } = new URL(await restore(superuserUrl(), into, file));
    return `restored into ${host}${pathname}: point DATABASE_URL there and start the connector`;
  },
  'restore-archive': async (day: string, { from, days }: Options) => {
    if (!/^\d{4}-\d\d-\d\d$/.test(day))
      throw new UsageError(`a day such as 2026-08-01 expected, found '${day}'`);
    if (!(Number(days) > 0)) throw new UsageError(`--days: a number above 0 expected, found '${days}'`);
    const added = await withDb((db) => restoreDay(db, from, day, Number(days)));
    return `${added} readings of ${day} are back, for ${days} days`;
  },
} satisfies Record<string, Command>;

/** Host, port and name: an address without its secrets. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + pathname;
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = readArgs(args, {
    into: { type: 'string', default: '' },
    from: { type: 'string', default: process.env['ARCHIVE_FOLDER'] ?? 'archive' },
    days: { type: 'string', default: '7' },
  });
  const [name, argument = ''] = positionals;
  const command: Command =
    commands[oneOf('command', name, Object.keys(commands) as (keyof typeof commands)[])];
  atMost(name === 'status' ? 1 : 2, positionals);
  console.log(await command(argument, values));
}

await runCommand(usage, main);
