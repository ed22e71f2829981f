// The pipeline under fire: a steady load, faults at random moments, and an audit of every single message.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { between, createRandom } from '../simulator/random.ts';
import { cloneOdooDatabase, dropOdooDatabase } from '../../ops/stack/real/odoo-database.ts';
import { odooTemplate } from '../../ops/stack/real/odoo.ts';
import type { Report, Settings } from '../../ops/stack/types.ts';
import { audit, type Findings } from './audit.ts';
import { forget } from './broker.ts';
import { layCable } from './cable.ts';
import { createConnectors, connectorClient } from './connectors.ts';
import { databaseCopies, odooCopies } from './copies.ts';
import { faults, plan } from './faults.ts';
import { createLoad, type Load } from './load.ts';
import { startSender, type Sender } from './sender.ts';
import { createSmallDatabase } from './services.ts';
import { agree, settle } from './settle.ts';
import { createStored } from './stored.ts';

/** What a chaos run gets to work with. */
export interface ChaosContext {
  env: Readonly<Record<string, string>>;
  settings: Settings;
  /** Pid of the stack's daemon, whose namespaces hold the services. */
  daemonPid: number;
  /** Folder of the instance. */
  dir: string;
  quick: boolean;
  seed: number;
  /** Names of the only faults, with commas between; empty for all. */
  only: string;
  report: Report;
}

const messagesPerSecond = 250;
const farm = 'chaos';

/** Runs it. Resolves with the figures of the JSON line; cleans up whatever happens. */
export async function run(
  context: ChaosContext,
): Promise<Findings & { faults: number; odoo_differing: number }> {
  const { env, settings, daemonPid, dir, quick, report } = context;
  const folder = join(dir, 'chaos');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const filestore = join(dir, 'real/odoo/data/filestore');
  const odooDb = `chaos_odoo_${process.pid}`;
  report('a database on a small disk of its own, a fresh Odoo database, cables to pull');
  const database = await createSmallDatabase(daemonPid, dir, env);
  const brokerCable = await layCable(settings.ports.mqtt);
  const databaseCable = await layCable(settings.ports.postgres);
  const through = (url: string, port: number, path = new URL(url).pathname): string =>
    Object.assign(new URL(url), { port: String(port), pathname: path }).href;
  const databasePath = `/${database.name}`;
  const load = createLoad(farm);
  const url = through(env['DATABASE_URL'] ?? '', settings.ports.postgres, databasePath);
  const stored = createStored(url, farm, load);
  const copies = {
    databaseCopies: databaseCopies(env['ADMIN_DATABASE_URL'] ?? '', url, join(folder, 'database.dump')),
    odooCopies: odooCopies(settings, filestore, odooDb),
  };
  const connectors = createConnectors({
    folder,
    firstPort: settings.ports.connector,
    env: {
      ...env,
      DATABASE_URL: through(env['DATABASE_URL'] ?? '', databaseCable.port, databasePath),
      MQTT_URL: through(env['MQTT_URL'] ?? '', brokerCable.port),
      ODOO_DB: odooDb,
    },
  });
  const sender = startSender(env, `chaos-sender-${process.pid}`);
  const feed = createFeed(load, sender);
  try {
    await cloneOdooDatabase({ settings, filestore, from: odooTemplate, to: odooDb });
    // An earlier run may have ended early.
    await forget(env, connectorClient, load.retainedTopics);
    await connectors.start();
    await connectors.ready();
    const random = createRandom(context.seed);
    feed.start();
    await stored.caughtUp();
    const names = plan(random, quick, context.only);
    for (const [index, name] of names.entries()) {
      await sleep(1000 * (quick ? between(random, 0.5, 2) : between(random, 3, 12)));
      report(`fault ${index + 1} of ${names.length}: ${name}`);
      await faults[name]?.({
        ...context,
        random,
        load,
        sender,
        connectors,
        database,
        ...copies,
        stored,
        brokerCable,
        databaseCable,
      });
    }
    report('all faults are over; what is under way comes to its end');
    await stored.caughtUp();
    feed.stop();
    for (const message of [...load.finish(), ...load.repeat()]) sender.queue(message);
    await settle(load, sender, stored, report);
    report('comparison with Odoo');
    const differing = await agree(connectors, stored, report);
    report('audit');
    const odoo = {
      url: env['ODOO_URL'] ?? '',
      db: odooDb,
      login: env['ODOO_LOGIN'] ?? '',
      password: env['ODOO_PASSWORD'] ?? '',
    };
    const findings = await audit(farm, load, stored, odoo, report);
    return { faults: names.length, ...findings, odoo_differing: differing };
  } finally {
    feed.stop();
    await sender.stop();
    await connectors.stop();
    for (const cable of [brokerCable, databaseCable]) cable.close();
    await forget(env, connectorClient, load.retainedTopics);
    for (const { drop } of Object.values(copies)) await drop();
    await database.drop();
    await dropOdooDatabase(settings, filestore, odooDb);
  }
}

/** Makes messages at a steady rate, whatever happens to them. */
function createFeed(load: Load, sender: Sender): { start: () => void; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      const startedAt = performance.now();
      let made = 0;
      timer = setInterval(() => {
        const due = ((performance.now() - startedAt) / 1000) * messagesPerSecond;
        for (; made < due; made++) sender.queue(load.next());
      }, 20);
    },
    stop: () => clearInterval(timer),
  };
}
