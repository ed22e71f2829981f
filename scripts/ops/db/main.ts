// npm run db -- status|backup|restore|restore-archive, on the database of DATABASE_URL, or on the one that npm start set up.
import { parseArgs } from 'node:util';
import { restoreDay } from '../../../connector/jobs/archive.ts';
import { readJobs } from '../../../connector/db/jobs.ts';
import { openPool, type Db } from '../../../connector/db/pool.ts';
import { readStorageStatus } from '../../../connector/db/storage.ts';
import { messageOf } from '../../../contract/errors.ts';
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

class UsageError extends Error {}

function databaseUrl(): string {
  const url = process.env['DATABASE_URL'] ?? readEnvFile(openInstance('demo'))?.['DATABASE_URL'];
  if (url === undefined) throw new UsageError('Which database? Set DATABASE_URL, or run npm start first.');
  return url;
}

function superuserUrl(): string {
  const settings = readSettings(openInstance('demo'));
  const url = process.env['ADMIN_DATABASE_URL'] ?? (settings === undefined ? undefined : adminUrl(settings));
  if (url === undefined)
    throw new UsageError('Who may make databases? Set ADMIN_DATABASE_URL to the address of a superuser.');
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

const commands: Readonly<Record<string, Command>> = {
  status: () =>
    withDb(async (db) => formatStatus(await readStorageStatus(db), await readJobs(db), new Date())).catch(
      (error: unknown) => {
        if (error instanceof UsageError) throw error;
        throw new Error(
          `The database does not answer as expected: ${messageOf(error)}\nIs it running, and did the connector (npm start) bring it to this version?`,
        );
      },
    ),
  async backup(file) {
    if (file === '') throw new UsageError(usage);
    return `${file}: ${formatBytes(await backUp(databaseUrl(), file))}`;
  },
  async restore(file, { into }) {
    if (file === '' || into === '') throw new UsageError(usage);
    const { host, pathname } = new URL(await restore(superuserUrl(), into, file));
    return `restored into ${host}${pathname}: point DATABASE_URL there and start the connector`;
  },
  async 'restore-archive'(day, { from, days }) {
    if (!/^\d{4}-\d\d-\d\d$/.test(day) || !(Number(days) > 0)) throw new UsageError(usage);
    const added = await withDb((db) => restoreDay(db, from, day, Number(days)));
    return `${added} readings of ${day} are back, for ${days} days`;
  },
};

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      into: { type: 'string', default: '' },
      from: { type: 'string', default: process.env['ARCHIVE_FOLDER'] ?? 'archive' },
      days: { type: 'string', default: '7' },
    },
  });
  const [name = '', argument = ''] = positionals;
  const command = commands[name];
  if (command === undefined || positionals.length > 2) throw new UsageError(usage);
  console.log(await command(argument, values));
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
