// The faults. Each strikes, lasts a random while, and is over when its function returns; recovery goes on behind it.
import { setTimeout as sleep } from 'node:timers/promises';
import { between, type Random } from '../simulator/random.ts';
import { forget } from './broker.ts';
import type { Cable } from './cable.ts';
import { connectorClient } from './connectors.ts';
import { restoreDatabase, restoreOdoo } from './restores.ts';
import { pause, type Scene } from './scene.ts';
import { signalService } from './services.ts';

type Fault = (scene: Scene) => Promise<void>;

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

/**
 * The broker forgets the connector's session, as after `persistent_client_expiration` or in a new broker: it tells the new
 * subscription all retained messages. The devices hold theirs meanwhile, as nobody would keep them.
 */
const loseSession: Fault = async ({ env, load, sender, stored, connectors }) => {
  const all = stored.caughtUp();
  sender.queue(load.gauge());
  await sender.hold();
  await all;
  await connectors.kill();
  await forget(env, connectorClient);
  await connectors.start();
  await connectors.ready();
  sender.release();
};

const lastPacketId = 65_535;

/** Equal messages without a time come under the packet ids that others of them had, and the connector dies with them unread. */
const reuseIds: Fault = async ({ load, sender, stored, connectors }) => {
  const from = load.sent.length;
  for (let count = 0; count < 3_000; count++) sender.queue(load.same());
  while (load.sent.length - from < lastPacketId) sender.queue(load.gauge());
  await stored.caughtUp();
  connectors.freeze();
  const equal = Array.from({ length: 1_000 }, () => load.same());
  for (const message of equal) sender.queue(message);
  while (equal.some(({ acknowledged, unsure }) => !acknowledged && !unsure)) await sleep(50);
  await connectors.kill();
  await connectors.start();
};

/** All faults by name; the short form has the first six. */
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
  'second connector takes over from a killed one': ({ connectors }) => connectors.replace(),
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
  'retained messages told again': loseSession,
  'packet ids come round': reuseIds,
  'database restored': restoreDatabase,
  'Odoo restored': restoreOdoo,
  'device clocks jump ahead': ({ load }) => Promise.resolve(load.jump(3, 50)),
  'device clocks fall back': ({ load }) => Promise.resolve(load.jump(-20 * 24, 50)),
};

/** Faults of the long form. */
const longForm = 24;

/**
 * Names of the faults of a run in random order: all of them and some once more, or the first six once; `only`, with commas
 * between, names those that strike three times each instead.
 */
export function plan(random: Random, quick: boolean, only: string): string[] {
  const names = Object.keys(faults);
  const chosen = only === '' ? [] : only.split(',').map((name) => name.trim());
  for (const name of chosen)
    if (!names.includes(name)) throw new Error(`no fault '${name}'; there are: ${names.join(', ')}`);
  if (chosen.length > 0) return [...chosen, ...chosen, ...chosen];
  const shuffled = (list: readonly string[]): string[] =>
    list
      .map((name) => ({ name, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ name }) => name);
  if (quick) return shuffled(names.slice(0, 6));
  return [...shuffled(names), ...shuffled(names).slice(0, longForm - names.length)];
}
