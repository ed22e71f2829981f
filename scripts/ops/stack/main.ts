// npm run stack -- up|down|status|reset [--docker|--real|--embedded] [--instance demo|test|bench|chaos]
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { atMost, oneOf, readArgs, runCommand, UsageError } from '../../../contract/runtime/command-line.ts';
import { endAll, lockToEnd } from '../start/end.ts';
import { runningSupervisor } from '../start/record.ts';
import { bringDown, bringUp, readState, runningDaemon } from './client.ts';
import { decideMode, forcedMode } from './choose.ts';
import { runDaemon } from './daemon.ts';
import { dockerDown, dockerStatus, dockerUp } from './docker/provider.ts';
import { rootHome } from './embedded/home.ts';
import { openInstance } from './instance.ts';
import { parseProcessId } from './process-id.ts';
import { takeLock } from './lock.ts';
import { withProgress } from './progress.ts';
import type { Instance } from './types.ts';

const usage = `Usage: npm run stack -- up|down|status|reset [OPTIONS]
  up      start the services and write .stack/env
  down    stop them; data stays
  status  say what runs
  reset   stop everything and delete all data of the instance, secrets included; asks first
  --docker | --real | --embedded         for up: this mode; without it the best that the machine allows
  --instance demo|test|bench|chaos       demo is what npm start runs
  --yes                                  for reset: does not ask`;

const commands = ['up', 'down', 'status', 'reset'] as const;
const instances = ['demo', 'test', 'bench', 'chaos'] as const;
const flag = { type: 'boolean', default: false } as const;

async function up(instance: Instance, args: readonly string[]): Promise<void> {
  const lock = await takeLock(instance, 'stack up', console.log);
  try {
    await withProgress(async (report) => {
      const running = runningDaemon(instance);
      const { mode, why } =
        running !== undefined && forcedMode(args) === undefined
          ? { mode: running.mode, why: 'it runs already' }
          : await decideMode(args);
      report(`mode ${mode}: ${why}`);
      if (mode === 'docker') await dockerUp(instance, report, { withPrograms: false, withSimulator: false });
      else await bringUp({ instance, mode, report, tied: false });
      report(`services are up; addresses and secrets: ${instance.envFile}`);
    });
  } finally {
    await lock.release();
  }
}

async function down(instance: Instance): Promise<void> {
  const lock = await takeLock(instance, 'stack down', console.log);
  try {
    if (runningSupervisor(instance) !== undefined)
      throw new Error('npm start runs and would start them again: npm stop stops everything');
    const containers = await dockerDown(instance, { withData: false });
    const services = await bringDown(instance);
    console.log(containers || services ? 'services are stopped' : 'no service was running');
  } finally {
    await lock.release();
  }
}

async function reset(instance: Instance, isSure: boolean): Promise<void> {
  if (!isSure && !(await agrees(instance))) return console.log('nothing was deleted');
  const lock = await lockToEnd(instance, 'stack reset', console.log);
  try {
    if (await endAll(instance, { withData: true })) console.log('stopped what ran');
    for (const name of [
      'real',
      'embedded',
      'docker',
      'programs',
      'log',
      'env',
      'settings.json',
      'odoo-api-key',
      'gateway-spool.sqlite',
      'gateway-spool.sqlite-wal',
      'gateway-spool.sqlite-shm',
    ]) {
      rmSync(join(instance.dir, name), { recursive: true, force: true });
    }
    if (process.getuid?.() === 0) rmSync(rootHome(instance), { recursive: true, force: true });
    rmSync(join(instance.dir, 'run'), { recursive: true, force: true });
    console.log(`data of the ${instance.name} instance is deleted`);
  } finally {
    await lock.release();
  }
}

/** A script has to say --yes; a person is asked. */
async function agrees(instance: Instance): Promise<boolean> {
  const running = runningSupervisor(instance) !== undefined || runningDaemon(instance) !== undefined;
  const words = `${running ? 'It runs: this stops it, and' : 'This'} deletes all data of the ${instance.name} instance in ${instance.dir}: databases, readings that wait, secrets, logs.`;
  if (!process.stdin.isTTY) throw new UsageError(`${words}\nNobody can be asked here: add --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(`${words}\nType yes to go on: `)).trim() === 'yes';
  } finally {
    terminal.close();
  }
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

async function main(args: string[]): Promise<void> {
  // What brings the services up calls itself in this way; no person does.
  if (args[0] === 'daemon') return daemon(args);
  const { values, positionals } = readArgs(args, {
    docker: flag,
    real: flag,
    embedded: flag,
    yes: flag,
    instance: { type: 'string', default: 'demo' },
  });
  const command = oneOf('command', positionals[0], commands);
  atMost(1, positionals);
  const instance = openInstance(oneOf('instance', values.instance, instances));
  if (command === 'up') return up(instance, args);
  if (command === 'down') return down(instance);
  if (command === 'status') return status(instance);
  return reset(instance, values.yes);
}

function daemon(args: readonly string[]): Promise<void> {
  const valueOf = (option: string): string | undefined =>
    args.includes(option) ? args[args.indexOf(option) + 1] : undefined;
  const owner = valueOf('--owner');
  return runDaemon(
    oneOf('instance', valueOf('--instance'), instances),
    forcedMode(args) === 'real' ? 'real' : 'embedded',
    owner === undefined ? undefined : parseProcessId(owner),
  );
}

await runCommand(usage, main);
