// The service daemon: sets one instance's services up, keeps them running, obeys the control socket.
// In real mode it is process 1 of a pid namespace: when it dies, by whatever cause, everything in it dies too.
import { rmSync } from 'node:fs';
import { messageOf } from '../../../contract/errors.ts';
import { serveControl, type ControlRequest } from './control.ts';
import { startEmbedded } from './embedded/provider.ts';
import { writeEnvFile } from './env-file.ts';
import { openInstance, readJson, writePrivate } from './instance.ts';
import { identifySelf, isAlive, type ProcessId } from './process-id.ts';
import { startReal } from './real/provider.ts';
import type {
  Instance,
  InstanceName,
  ManagedService,
  Mode,
  Report,
  RunningStack,
  ServiceState,
} from './types.ts';

type DaemonMode = Exclude<Mode, 'docker'>;

export interface DaemonRecord extends ProcessId {
  mode: DaemonMode;
  /** The process that it does not outlive. */
  owner?: ProcessId;
}

export interface StackState {
  phase: 'starting' | 'up' | 'failed';
  step: string;
  services: Record<string, ServiceState>;
  versions: Record<string, string>;
}

/**
 * Runs until it is told to end: by SIGTERM, or, with an owner, by the end of standard input, whose other end the owner
 * holds: so it never outlives the owner, however that ends.
 */
export async function runDaemon(
  name: InstanceName,
  mode: DaemonMode,
  owner: ProcessId | undefined,
): Promise<void> {
  const instance = openInstance(name);
  const previous = readJson(instance.daemonFile) as DaemonRecord | undefined;
  const self = identifySelf();
  if (previous !== undefined && isAlive(previous) && previous.pid !== self.pid) {
    throw new Error(`the ${name} stack is already running (pid ${previous.pid})`);
  }
  const services: ManagedService[] = [];
  const state: StackState = { phase: 'starting', step: 'starting', services: {}, versions: {} };
  const publish = (): void => {
    state.services = Object.fromEntries(services.map((service) => [service.name, service.state()]));
    writePrivate(instance.stateFile, JSON.stringify(state));
  };
  // A full disk must not end the services: what they store is more than what is told of them.
  const publishIfPossible = (): void => {
    try {
      publish();
    } catch (error) {
      console.error(messageOf(error));
    }
  };
  const report: Report = (step) => {
    console.log(`${new Date().toISOString()} ${step}`);
    state.step = step;
    publishIfPossible();
  };

  // First the state, so that nobody takes a former daemon's for ours.
  publish();
  const record: DaemonRecord = { ...self, mode, ...(owner === undefined ? {} : { owner }) };
  writePrivate(instance.daemonFile, JSON.stringify(record));

  const life = { ending: false };
  const end = async (code: number): Promise<void> => {
    if (life.ending) return;
    life.ending = true;
    for (const service of services.toReversed()) await service.stop();
    for (const file of [instance.daemonFile, instance.socket]) rmSync(file, { force: true });
    process.exit(code);
  };
  const endFor = (signal: string) => (): void => {
    console.log(`ending: ${signal}`);
    end(0).catch(failHard);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, endFor(signal));
  if (owner !== undefined) process.stdin.on('close', endFor('its owner is gone')).resume();

  await serveControl(instance.socket, (request) => obey(request, services, publish));
  try {
    const stack = await startServices(mode, instance, report, services);
    state.versions = stack.versions;
    writeEnvFile(instance, stack.env);
    state.phase = 'up';
    report('up');
    setInterval(publishIfPossible, 1_000);
  } catch (error) {
    if (life.ending) return;
    console.error(error);
    state.phase = 'failed';
    report(error instanceof Error ? error.message : String(error));
    await end(1);
  }
}

function startServices(
  mode: DaemonMode,
  instance: Instance,
  report: Report,
  services: ManagedService[],
): Promise<RunningStack> {
  return mode === 'real' ? startReal(instance, report, services) : startEmbedded(instance, report, services);
}

async function obey(request: ControlRequest, services: ManagedService[], publish: () => void): Promise<void> {
  const service = services.find((candidate) => candidate.name === request.service);
  if (service === undefined) {
    const known = services.map(({ name }) => name).join(', ');
    throw new Error(`this stack has no service ${request.service}; it has: ${known}`);
  }
  await (request.do === 'start' ? service.start() : service.stop());
  publish();
}

function failHard(error: unknown): never {
  console.error(error);
  process.exit(1);
}
