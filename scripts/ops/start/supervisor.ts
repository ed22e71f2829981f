// The supervisor of npm start: services, then connector, simulator and gateway, then a watch over all of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnvFile } from '../stack/env-file.ts';
import { readSettings } from '../stack/instance.ts';
import { identify } from '../stack/process-id.ts';
import type { EnvValues, Instance, ManagedService, Report } from '../stack/types.ts';
import { followConnector, type LiveEvent } from './connector-api.ts';
import type { StartOptions } from './options.ts';
import { createPrograms } from './programs.ts';
import { endOrphans, newRecord, removeRecord, writeRecord } from './record.ts';
import { startStack, watchServices, type Ending } from './services.ts';

export interface Supervision {
  env: EnvValues;
  /** Ends everything that was started, last things first. */
  stop: () => Promise<void>;
}

interface Supervised {
  instance: Instance;
  options: StartOptions;
  report: Report;
  onTrouble: (message: unknown) => void;
  onEvent: (event: LiveEvent) => void;
  /** When this fires, what has begun is ended. */
  signal: AbortSignal;
}

const firstMilkingTimeoutMs = 180_000;

/** Starts everything and waits for the first milking. Throws, with everything ended, when that fails. */
export async function supervise(given: Supervised): Promise<Supervision> {
  const { instance, options, signal } = given;
  const left = await endOrphans(instance);
  const record = newRecord();
  const report: Report = (step) => {
    signal.throwIfAborted();
    record.step = step;
    writeRecord(instance, record);
    given.report(step);
  };
  const endings: Ending[] = [];
  const stop = async (): Promise<void> => {
    for (const end of endings.toReversed()) await end();
    removeRecord(instance);
  };
  try {
    if (left.length > 0) report(`ended what a killed start left behind: ${left.join(', ')}`);
    const mode = await unlessAborted(startStack({ instance, options, report, endings, signal }), signal);
    const env = readEnvFile(instance) ?? {};
    const milking = firstMilking(env, given.onEvent, endings);
    if (mode !== 'docker') {
      endings.push(watchServices(instance, mode, given.onTrouble));
      const programs = programsOf(given, env, (name, pid) => {
        const id = identify(pid);
        if (id === undefined) return;
        record.children[name] = id;
        writeRecord(instance, record);
      });
      for (const program of programs) {
        report(`starting the ${program.name}`);
        endings.push(program.stop);
        await unlessAborted(program.start(), signal);
      }
    }
    if (options.withSimulator) {
      report('waiting for the first milking');
      await unlessAborted(Promise.race([milking, tooLate(instance)]), signal);
    }
    record.phase = 'running';
    report('running');
    return { env, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function programsOf(
  { instance, options, onTrouble }: Supervised,
  env: EnvValues,
  onSpawn: (name: string, pid: number) => void,
): ManagedService[] {
  const settings = readSettings(instance);
  if (settings === undefined)
    throw new Error(`${instance.settingsFile} is missing: run npm run stack -- reset`);
  const { withSimulator, simulatorArgs } = options;
  return createPrograms({ instance, settings, env, withSimulator, simulatorArgs, onSpawn, onTrouble });
}

/** Resolves when a new milking is through: in Odoo when there is one, else in the database. */
function firstMilking(env: EnvValues, onEvent: (event: LiveEvent) => void, endings: Ending[]): Promise<void> {
  const hasOdoo = (env['ODOO_URL'] ?? '') !== '';
  let isStored = false;
  return new Promise((done) => {
    const unfollow = followConnector(env, (event) => {
      onEvent(event);
      if (event.type === 'milking') isStored = true;
      // What went to Odoo before that was left over from the last time.
      const isThrough = hasOdoo ? event.type === 'odoo' && event.kind === 'milk_session' : true;
      if (isStored && isThrough) done();
    });
    endings.push(unfollow);
  });
}

async function tooLate(instance: Instance): Promise<never> {
  await sleep(firstMilkingTimeoutMs, undefined, { ref: false });
  throw new Error(
    `no milking came through in ${firstMilkingTimeoutMs / 60_000} minutes: read ${instance.logDir}/*.log`,
  );
}

/** Waits for `work`, but not longer than until `signal` fires; then `endings` undo what `work` has begun. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, fail) => {
    signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
  });
  return Promise.race([work, aborted]);
}
