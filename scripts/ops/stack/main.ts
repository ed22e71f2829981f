// npm run stack -- up|down|status|reset [--docker|--real|--embedded] [--instance demo|test|bench|chaos]
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bringDown, bringUp, readState, runningDaemon } from './client.ts';
import { decideMode, forcedMode } from './choose.ts';
import { runDaemon } from './daemon.ts';
import { dockerDown, dockerStatus, dockerUp } from './docker/provider.ts';
import { rootHome } from './embedded/home.ts';
import { openInstance } from './instance.ts';
import { parseProcessId } from './process-id.ts';
import { openProgress } from './progress.ts';
import type { Instance, InstanceName } from './types.ts';

const usage = `Usage: npm run stack -- up|down|status|reset [--docker|--real|--embedded] [--instance demo|test|bench|chaos]
  up      start the services and write .stack/env
  down    stop them; data stays
  status  say what runs
  reset   stop them and delete all data of the instance, secrets included`;

function instanceName(args: readonly string[]): InstanceName {
  const at = args.indexOf('--instance');
  if (at < 0) return 'demo';
  const name = args[at + 1];
  if (name !== 'demo' && name !== 'test' && name !== 'bench' && name !== 'chaos')
    throw new Error('--instance wants demo, test, bench or chaos');
  return name;
}

async function up(instance: Instance, args: readonly string[]): Promise<void> {
  const progress = openProgress();
  try {
    const running = runningDaemon(instance);
    const { mode, why } =
      running !== undefined && forcedMode(args) === undefined
        ? { mode: running.mode, why: 'it runs already' }
        : await decideMode(args);
    progress.step(`mode ${mode}: ${why}`);
    if (mode === 'docker')
      await dockerUp(instance, progress.step, { withPrograms: false, withSimulator: false });
    else await bringUp({ instance, mode, report: progress.step, tied: false });
    progress.step(`services are up; addresses and secrets: ${instance.envFile}`);
  } finally {
    progress.close();
  }
}

async function down(instance: Instance): Promise<void> {
  const stopped = (await dockerDown(instance, { withData: false })) || (await bringDown(instance));
  console.log(stopped ? 'services are stopped' : 'no service was running');
}

async function reset(instance: Instance): Promise<void> {
  await dockerDown(instance, { withData: true });
  await bringDown(instance);
  for (const name of [
    'real',
    'embedded',
    'docker',
    'run',
    'log',
    'env',
    'settings.json',
    'gateway-spool.sqlite',
    'gateway-spool.sqlite-wal',
  ]) {
    rmSync(join(instance.dir, name), { recursive: true, force: true });
  }
  if (process.getuid?.() === 0) rmSync(rootHome(instance), { recursive: true, force: true });
  console.log(`data of the ${instance.name} instance is deleted`);
}

async function status(instance: Instance): Promise<void> {
  if (await dockerStatus(instance)) return;
  const running = runningDaemon(instance);
  if (running === undefined) return console.log(`the ${instance.name} stack does not run`);
  const state = readState(instance);
  console.log(`mode ${running.mode}, ${state?.phase ?? 'starting'}: ${state?.step ?? ''}`);
  for (const [name, word] of Object.entries(state?.services ?? {})) console.log(`  ${name}: ${word}`);
  for (const [name, version] of Object.entries(state?.versions ?? {})) console.log(`  ${name} ${version}`);
}

async function main([command, ...args]: string[]): Promise<void> {
  const instance = openInstance(instanceName(args));
  if (command === 'up') return up(instance, args);
  if (command === 'down') return down(instance);
  if (command === 'status') return status(instance);
  if (command === 'reset') return reset(instance);
  if (command === 'daemon') {
    const mode = forcedMode(args) === 'real' ? 'real' : 'embedded';
    const owner = args[args.indexOf('--owner') + 1];
    return runDaemon(instance.name, mode, args.includes('--owner') ? parseProcessId(owner) : undefined);
  }
  throw new Error(usage);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
