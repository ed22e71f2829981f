// The faults. Each strikes, lasts a random while, and is over when its function returns; recovery goes on behind it.
import { setTimeout as sleep } from 'node:timers/promises';
import { between, type Random } from '../simulator/random.ts';
import type { Report } from '../../ops/stack/types.ts';
import type { Cable } from './cable.ts';
import type { Connectors } from './connectors.ts';
import type { Load } from './load.ts';
import { signalService, type SmallDatabase } from './services.ts';
import type { Stored } from './stored.ts';

/** What faults can reach. */
export interface Scene {
  daemonPid: number;
  random: Random;
  load: Load;
  connectors: Connectors;
  database: SmallDatabase;
  stored: Stored;
  brokerCable: Cable;
  databaseCable: Cable;
  report: Report;
}

type Fault = (scene: Scene) => Promise<void>;

const pause = ({ random }: Scene, low: number, high: number): Promise<void> =>
  sleep(1000 * between(random, low, high));

const kills =
  (service: 'postgres' | 'odoo'): Fault =>
  ({ daemonPid }) =>
    signalService(daemonPid, service, 'SIGKILL');

const cuts =
  (cable: (scene: Scene) => Cable): Fault =>
  async (scene) => {
    cable(scene).pull();
    await pause(scene, 3, 9);
    cable(scene).plug();
  };

/**
 * A broker that is killed forgets what it had in memory: acknowledged to the sender, not yet handed on. So it is frozen
 * first, and what the database then lacks is noted as held by the broker alone. Everything older has been committed for
 * longer than the broker's autosave interval, so that its saved state cannot bring it back.
 */
const killBroker: Fault = async ({ daemonPid, random, load, stored, report }) => {
  const from = await stored.caughtUp();
  await sleep(1000 * between(random, 11, 13));
  await signalService(daemonPid, 'mosquitto', 'SIGSTOP');
  await sleep(1_000);
  const known = await stored.since(from);
  let held = 0;
  for (const message of load.sent.slice(from)) {
    if (!message.timed) message.unsure = true;
    else if (message.acknowledged && !known.has(message.n)) {
      message.held = true;
      held += 1;
    }
  }
  report(`the broker alone holds ${held} messages; now it dies`);
  await signalService(daemonPid, 'mosquitto', 'SIGKILL');
};

/** All faults by name. */
export const faults: Readonly<Record<string, Fault>> = {
  'connector killed': async (scene) => {
    await scene.connectors.kill();
    await pause(scene, 0, 4);
    await scene.connectors.start();
  },
  'database killed': kills('postgres'),
  'disk full': async (scene) => {
    await scene.database.fill();
    await pause(scene, 3, 8);
    await scene.database.empty();
  },
  'second connector starts, first one killed': ({ connectors }) => connectors.replace(),
  'broker killed': killBroker,
  'cable to the broker pulled': cuts(({ brokerCable }) => brokerCable),
  'Odoo killed': kills('odoo'),
  'cable to the database pulled': cuts(({ databaseCable }) => databaseCable),
  'database refuses connections': async (scene) => {
    await scene.database.refuse();
    await pause(scene, 2, 7);
    await scene.database.admit();
  },
  'broker frozen': async (scene) => {
    await signalService(scene.daemonPid, 'mosquitto', 'SIGSTOP');
    await pause(scene, 2, 8);
    await signalService(scene.daemonPid, 'mosquitto', 'SIGCONT');
  },
  'device clocks jump ahead': ({ load }) => Promise.resolve(load.jump(3, 50)),
  'device clocks fall back': ({ load }) => Promise.resolve(load.jump(-20 * 24, 50)),
};

/**
 * Names of the faults of a run in random order: all of them twice, or the first six once; `only` names one, which
 * then strikes three times.
 */
export function plan(random: Random, quick: boolean, only: string): string[] {
  const names = Object.keys(faults);
  if (only !== '' && !names.includes(only))
    throw new Error(`no fault '${only}'; there are: ${names.join(', ')}`);
  if (only !== '') return [only, only, only];
  const shuffled = (list: readonly string[]): string[] =>
    list
      .map((name) => ({ name, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ name }) => name);
  return quick ? shuffled(names.slice(0, 6)) : [...shuffled(names), ...shuffled(names)];
}
