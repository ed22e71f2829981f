// npm run db -- status: sizes, parts, rollups and jobs of the database of DATABASE_URL, or of the one that npm start set up.
import { readJobs } from '../../connector/db/jobs.ts';
import { openPool } from '../../connector/db/pool.ts';
import { readStorageStatus } from '../../connector/db/storage.ts';
import { messageOf } from '../../contract/errors.ts';
import { createLogger } from '../../contract/runtime/logger.ts';
import { readEnvFile } from '../stack/env-file.ts';
import { openInstance } from '../stack/instance.ts';
import { formatStatus } from './status.ts';

const usage = `Usage: npm run db -- status
  status  sizes, chunks or partitions, rollups and database jobs
Takes DATABASE_URL from the environment, else from .stack/env.`;

async function main(args: readonly string[]): Promise<number> {
  if (args.length !== 1 || args[0] !== 'status') {
    console.error(usage);
    return 2;
  }
  const url = process.env['DATABASE_URL'] ?? readEnvFile(openInstance('demo'))?.['DATABASE_URL'];
  if (url === undefined) {
    console.error('Which database? Set DATABASE_URL, or run npm start first.');
    return 2;
  }
  const db = openPool(url, 1, createLogger('db', 'warn'));
  try {
    console.log(formatStatus(await readStorageStatus(db), await readJobs(db), new Date()));
    return 0;
  } catch (error) {
    console.error(`The database does not answer as expected: ${messageOf(error)}`);
    console.error('Is it running, and did the connector (npm start) bring it to this version?');
    return 1;
  } finally {
    await db.end();
  }
}

process.exitCode = await main(process.argv.slice(2));
