// The end of npm test: what ran on what, what was skipped and why, and the closing line that CI reads.
import { databaseVersions, withClient } from '../../ops/stack/database.ts';
import { addCounts, noCounts, type Counts } from './node-tests.ts';

export interface Suite {
  name: string;
  counts: Counts;
  /** Where to read on after a failure. */
  logFile?: string;
}

/** When TEST_DATABASE_URL names another server, the versions of that one. */
export async function foreignVersions(): Promise<Record<string, string>> {
  const url = process.env['TEST_DATABASE_URL'];
  if (url === undefined || url === '') return {};
  const versions = await withClient(url, async (query) => {
    const [available] = await query(
      `select default_version as version from pg_available_extensions where name = 'timescaledb'`,
    );
    const own = await databaseVersions(query);
    return available === undefined || own['TimescaleDB'] !== 'none'
      ? own
      : { ...own, TimescaleDB: String(available['version']) };
  });
  return Object.fromEntries(
    Object.entries(versions).map(([name, version]) => [`${name} (TEST_DATABASE_URL)`, version]),
  );
}

/** Prints the summary; the last line is exactly `N passed, N failed`, perhaps with `, N skipped`. Returns the exit code. */
export function printSummary(mode: string, versions: Record<string, string>, suites: Suite[]): number {
  const total = noCounts();
  for (const { counts } of suites) addCounts(total, counts);
  console.log(`\nstack: ${mode}`);
  for (const [name, version] of Object.entries(versions)) console.log(`  ${name} ${version}`);
  for (const { name, counts, logFile } of suites) {
    const where = logFile === undefined ? '' : `, read ${logFile}`;
    console.log(`suite ${name}: ${countsText(counts)}${where}`);
  }
  if (versions['Odoo'] === 'none') console.log('suite Odoo addons did not run: this stack has no Odoo');
  for (const [reason, count] of total.skipReasons) console.log(`skipped ${count}: ${reason}`);
  console.log(countsText(total));
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

function countsText({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
