// The pipeline under fire: a steady load, faults at random moments, and an audit of every single message.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { between, createRandom } from '../simulator/random.ts';
import { cloneOdooDatabase, dropOdooDatabase } from '../../ops/stack/real/odoo-database.ts';
import { odooTemplate } from '../../ops/stack/real/odoo.ts';
import type { Report, Settings } from '../../ops/stack/types.ts';
import { audit, type Findings } from './audit.ts';
import { layCable } from './cable.ts';
import { createConnectors } from './connectors.ts';
import { faults, plan } from './faults.ts';
import type { Sent } from './ledger.ts';
import { createLoad, type Load } from './load.ts';
import { startSender, type Sender } from './sender.ts';
import { createSmallDatabase } from './services.ts';
import { createStored, type Stored } from './stored.ts';

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
  /** Name of the only fault; empty for all. */
  only: string;
  report: Report;
}

const messagesPerSecond = 250;
const farm = 'chaos';

/** Runs it. Resolves with the figures of the JSON line; cleans up whatever happens. */
export async function run(context: ChaosContext): Promise<Findings & { faults: number }> {
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
        connectors,
        database,
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
    report('audit');
    const odoo = {
      url: env['ODOO_URL'] ?? '',
      db: odooDb,
      login: env['ODOO_LOGIN'] ?? '',
      password: env['ODOO_PASSWORD'] ?? '',
    };
    const findings = await audit(farm, load, stored, odoo);
    return { faults: names.length, ...findings };
  } finally {
    feed.stop();
    await sender.stop();
    await connectors.stop();
    for (const cable of [brokerCable, databaseCable]) cable.close();
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

const patienceMs = 120_000;

/** Waits until all that can come has come: milkings closed, outbox empty. What never comes is the audit's business. */
async function settle(load: Load, sender: Sender, stored: Stored, report: Report): Promise<void> {
  const deadline = Date.now() + patienceMs;
  let state = '';
  while (Date.now() < deadline) {
    const [row] = await stored.query(
      `SELECT (SELECT count(*) FROM iot.milk_session WHERE NOT closed) AS open,
              (SELECT count(*) FROM iot.outbox WHERE state <> 'sent') AS unsent`,
    );
    const known = await stored.since(load.sent.length - 1_000);
    const isCounted = ({ kind, unsure }: Sent) => kind !== 'record' && kind !== 'same' && !unsure;
    const missing = load.sent
      .slice(-1_000)
      .filter((message) => isCounted(message) && !known.has(message.n)).length;
    state = `${String(row?.['open'])} milkings open, ${String(row?.['unsent'])} records not in Odoo, ${missing} of the last 1,000 messages missing, ${sender.waiting()} not acknowledged`;
    if (Number(row?.['open']) + Number(row?.['unsent']) + missing + sender.waiting() === 0) return;
    await sleep(500);
  }
  report(`gave up waiting: ${state}`);
}
