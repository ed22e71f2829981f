// npm test [-- PATTERN...] [--no-odoo] [--real|--embedded]: brings the test stack up, runs every suite, cleans up.
import { join } from 'node:path';
import { runCommand, UsageError } from '../../../contract/runtime/command-line.ts';
import { bringDown, bringUp, endForsakenDaemon, runningDaemon } from '../../ops/stack/client.ts';
import { decideTestMode } from '../../ops/stack/choose.ts';
import { readEnvFile } from '../../ops/stack/env-file.ts';
import { openInstance, readJson, readSettings, writePrivate } from '../../ops/stack/instance.ts';
import { identifySelf, isAlive, type ProcessId } from '../../ops/stack/process-id.ts';
import { withProgress } from '../../ops/stack/progress.ts';
import { hashAddons } from '../../ops/stack/real/addons.ts';
import type { Instance, Mode } from '../../ops/stack/types.ts';
import { runAddonTests } from './addon-tests.ts';
import { dropLeftovers } from './leftovers.ts';
import { addCounts, findTests, noCounts, runTests, type Counts } from './node-tests.ts';
import { isSelected, parseOptions, usage, wantsAddonTests, type TestOptions } from './options.ts';
import { foreignVersions, printSummary, type Suite } from './summary.ts';

/** Two runs would stop each other's services. */
function takeLock(instance: Instance): void {
  const lockFile = join(instance.dir, 'run', 'test.json');
  const other = readJson(lockFile) as ProcessId | undefined;
  if (other !== undefined && isAlive(other)) {
    throw new Error(
      `another npm test runs in this folder (pid ${other.pid}): wait for it, or use a second clone`,
    );
  }
  writePrivate(lockFile, JSON.stringify(identifySelf()));
}

interface UpStack {
  mode: Exclude<Mode, 'docker'>;
  why: string;
  versions: Record<string, string>;
  /** We started it, so we stop it. */
  isOurs: boolean;
}

async function bringTestStackUp(instance: Instance, { modeArgs }: TestOptions): Promise<UpStack> {
  await endForsakenDaemon(instance);
  const running = runningDaemon(instance);
  const isCurrent = running?.mode !== 'real' || readSettings(instance)?.addonsHash === hashAddons();
  const isUsable = running !== undefined && isCurrent && modeArgs.length === 0;
  if (running !== undefined && !isUsable) await bringDown(instance);
  const choice = isUsable ? { mode: running.mode, why: 'it was up already' } : await decideTestMode(modeArgs);
  return withProgress(async (report) => {
    report(`test stack, mode ${choice.mode}: ${choice.why}`);
    const { mode } = choice;
    const state = await bringUp({ instance, mode, report, tied: true });
    return { ...choice, versions: state.versions, isOurs: !isUsable };
  });
}

async function runSuites(
  instance: Instance,
  options: TestOptions,
  stack: UpStack,
  signal: AbortSignal,
): Promise<Suite[]> {
  const env = readEnvFile(instance) ?? {};
  Object.assign(process.env, env, { SMART_DAIRY_TEST_NO_ODOO: options.withOdoo ? '' : '1' });
  const admin = env['ADMIN_DATABASE_URL'] ?? '';
  await dropLeftovers(admin);

  const files = findTests((path) => isSelected(options, path));
  const hasAddons = wantsAddonTests(options) && stack.mode === 'real';
  const addons = hasAddons ? addonSuite(instance, options) : undefined;
  const counts = await runTests(files.parallel, false, signal);
  const suites: Suite[] = [{ name: 'node', counts }];
  // The addon tests need the database too, so they end before tests stop services.
  if (addons !== undefined) suites.push(await addons);
  addCounts(counts, await runTests(files.fault, true, signal));

  const left = await dropLeftovers(admin);
  if (left.length > 0) console.log(`dropped databases that tests left behind: ${left.join(', ')}`);
  return suites;
}

async function addonSuite(instance: Instance, { addonCoverage }: TestOptions): Promise<Suite> {
  console.log('Odoo addon tests begin, beside the others');
  const name = 'Odoo addons';
  try {
    const counts = await runAddonTests(instance, addonCoverage);
    console.log(`Odoo addon tests: ${counts.passed} passed, ${counts.failed} failed`);
    return { name, counts, ...(counts.failed > 0 ? { logFile: counts.logFile } : {}) };
  } catch (error) {
    console.error('Odoo addon tests could not run:', error);
    const counts: Counts = { ...noCounts(), failed: 1 };
    return { name, counts };
  }
}

async function main(args: string[]): Promise<number> {
  const options = parseOptions(args);
  const instance = openInstance('test');
  takeLock(instance);
  const ending = new AbortController();
  let stack: UpStack | undefined;
  const stop = async (): Promise<void> => {
    if (stack?.isOurs === true) await bringDown(instance);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      // The stack is tied to us and ends by itself; test files have to be told.
      ending.abort();
      setTimeout(() => process.exit(130), 500);
    });
  }
  try {
    stack = await bringTestStackUp(instance, options);
    const suites = await runSuites(instance, options, stack, ending.signal);
    const versions = { ...stack.versions, ...(await foreignVersions()) };
    return printSummary(`${stack.mode} (${stack.why})`, versions, suites);
  } finally {
    await stop();
  }
}

await runCommand(usage, async (args) => {
  try {
    return await main(args);
  } catch (error) {
    // Whoever reads the last line of the output only.
    if (!(error instanceof UsageError)) process.once('exit', () => console.log('0 passed, 1 failed'));
    throw error;
  }
});
