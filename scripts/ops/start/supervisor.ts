// The supervisor of npm start: services, then connector, simulator and gateway, then a watch over all of them.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../contract/errors.ts';
import { brokerWarnings } from '../stack/broker-warnings.ts';
import { fullDisks } from '../stack/disk.ts';
import { readEnvFile } from '../stack/env-file.ts';
import { readSettings } from '../stack/instance.ts';
import { withLastWords } from '../stack/last-words.ts';
import { onOtherPorts } from '../stack/settings.ts';
import { identify } from '../stack/process-id.ts';
import type { EnvValues, Instance, ManagedService, Report } from '../stack/types.ts';
import type { LiveEvent } from './connector-api.ts';
import { firstMilking } from './first-milking.ts';
import type { StartOptions } from './options.ts';
import { createPrograms } from './programs.ts';
import {
  endOrphans,
  newRecord,
  removeRecord,
  tryWriteRecord,
  writeRecord,
  type StartRecord,
} from './record.ts';
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

/** Starts everything and waits until a milking is stored. Throws, with everything ended, when that fails. */
export async function supervise(given: Supervised): Promise<Supervision> {
  const { instance, signal } = given;
  const record = newRecord();
  const report: Report = (step) => {
    signal.throwIfAborted();
    record.step = step;
    writeRecord(instance, record);
    given.report(step);
  };
  try {
    // Of a former supervisor: before our record takes the place of its.
    const left = await endOrphans(instance);
    writeRecord(instance, record);
    if (left.length > 0) report(`ended what a killed start left behind: ${left.join(', ')}`);
    return await onOtherPorts(instance, () => startAll(given, record, report), report, signal);
  } catch (error) {
    // For the one who started us in the background. A full disk takes no record, but the error is the first one.
    // What a full disk does to each program reads differently: the disk itself comes first.
    const words = [...fullDisks([instance.dir]), messageOf(error)].join('\n');
    if (!signal.aborted) tryWriteRecord(instance, { ...record, phase: 'failed', step: words });
    throw new Error(words, { cause: error });
  }
}

/** Everything once; when that fails, all that has begun is ended. */
async function startAll(given: Supervised, record: StartRecord, report: Report): Promise<Supervision> {
  const { instance, options, signal } = given;
  const endings: Ending[] = [];
  const stop = async (): Promise<void> => {
    for (const end of endings.toReversed()) await end();
    removeRecord(instance);
  };
  try {
    const mode = await unlessAborted(startStack({ instance, options, report, endings, signal }), signal);
    const env = readEnvFile(instance) ?? {};
    for (const words of brokerWarnings(readSettings(instance), mode)) given.onTrouble(words);
    const milking = firstMilking(env, given.onEvent);
    endings.push(milking.unfollow);
    if (mode !== 'docker') {
      endings.push(watchServices(instance, mode, given.onTrouble));
      const programs = programsOf(given, env, (name, pid) => {
        const id = identify(pid);
        if (id === undefined) return;
        record.children[name] = id;
        tryWriteRecord(instance, record);
      });
      for (const program of programs) {
        report(`starting the ${program.name}`);
        endings.push(program.stop);
        await unlessAborted(program.start(), signal);
      }
    }
    if (options.withSimulator) {
      report('waiting for the first milking');
      await unlessAborted(Promise.race([milking.isStored, tooLate(instance)]), signal);
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

async function tooLate(instance: Instance): Promise<never> {
  await sleep(firstMilkingTimeoutMs, undefined, { ref: false });
  const words = ['simulator', 'gateway', 'connector'].map((name) =>
    withLastWords(name, join(instance.logDir, `${name}.log`)),
  );
  throw new Error(
    `no milking was stored in ${firstMilkingTimeoutMs / 60_000} minutes; what they said last:\n${words.join('\n')}`,
  );
}

/** Waits for `work`, but not longer than until `signal` fires; then `endings` undo what `work` has begun. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, fail) => {
    signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
  });
  return Promise.race([work, aborted]);
}
