// Which provider runs the services on this machine, and why.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { UsageError } from '../../../contract/runtime/command-line.ts';
import type { Mode } from './types.ts';

/** What the choice depends on. Each `no…` is empty, or says in words why not. */
export interface Machine {
  noDocker: string;
  noReal: string;
}

export interface Choice {
  mode: Mode;
  why: string;
}

/** The best mode the machine allows: docker, else real, else embedded. */
export function chooseMode({ noDocker, noReal }: Machine): Choice {
  if (noDocker === '') return { mode: 'docker', why: 'a Docker engine answers' };
  if (noReal === '') return { mode: 'real', why: `${noDocker}; this is root on Debian or Ubuntu` };
  return { mode: 'embedded', why: `${noDocker}; ${noReal}` };
}

/** The mode that the arguments force, if any. Throws when they force two. */
export function forcedMode(args: readonly string[]): Mode | undefined {
  const forced = (['docker', 'real', 'embedded'] as const).filter((mode) => args.includes(`--${mode}`));
  if (forced.length > 1) throw new UsageError(`choose one of --${forced.join(' and --')}`);
  return forced[0];
}

/** Forced by the arguments or chosen by what the machine has. Throws when a forced mode cannot work here. */
export async function decideMode(args: readonly string[]): Promise<Choice> {
  const forced = forcedMode(args);
  if (forced === 'embedded') return { mode: 'embedded', why: 'asked for by --embedded' };
  const machine = await inspectMachine();
  if (forced === undefined) return chooseMode(machine);
  const obstacle = forced === 'docker' ? machine.noDocker : machine.noReal;
  if (obstacle !== '') throw new Error(`--${forced} is not possible here: ${obstacle}`);
  return { mode: forced, why: `asked for by --${forced}` };
}

/** For the tests, which run on this machine and need their own grip on each service. */
export async function decideTestMode(
  args: readonly string[],
): Promise<{ mode: Exclude<Mode, 'docker'>; why: string }> {
  const forced = forcedMode(args);
  if (forced === 'docker') throw new Error('the tests run with --real or --embedded only');
  if (forced !== undefined) return { mode: forced, why: `asked for by --${forced}` };
  const noReal = await whyNotReal();
  return noReal === ''
    ? { mode: 'real', why: 'this is root on Debian or Ubuntu' }
    : { mode: 'embedded', why: noReal };
}

async function inspectMachine(): Promise<Machine> {
  const [hasEngine, hasCompose, noReal] = await Promise.all([
    succeeds('docker', ['info']),
    succeeds('docker', ['compose', 'version']),
    whyNotReal(),
  ]);
  const noDocker = hasEngine ? 'docker compose is missing' : 'no Docker engine answers';
  return { noDocker: hasEngine && hasCompose ? '' : noDocker, noReal };
}

async function whyNotReal(): Promise<string> {
  if (process.getuid?.() !== 0) return 'not root';
  if (!isDebianLike()) return 'not Debian or Ubuntu';
  const namespace = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', 'true'];
  return (await succeeds('unshare', namespace)) ? '' : 'root, but without the right to make namespaces';
}

function isDebianLike(): boolean {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

async function succeeds(program: string, args: string[]): Promise<boolean> {
  try {
    await promisify(execFile)(program, args, { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
