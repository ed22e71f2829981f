// What is kept in memory of the database, and how news keeps it as it is there, whoever changed it.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { LimitBook } from '../rules/limits.ts';
import type { FarmZones } from '../rules/zones.ts';
import { forgetDevice, loadDevices, rememberDevices, type Dimensions } from './dimensions.ts';
import type { NewsChannel } from './listen.ts';
import { outboxChannel } from './outbox.ts';
import type { Db, Queryable } from './pool.ts';
import { loadFarmZones } from './pulled/farm.ts';
import { pullKindSchema, type PullKind } from './pulled/index.ts';
import { loadLimits } from './pulled/threshold.ts';

/** News of one transaction, and of a burst of them, is looked up at once. */
const gatherMs = 50;

/** Devices as they are in the register. */
export function deviceNews(db: Db, dimensions: Dimensions, logger: Logger): NewsChannel {
  const changed = new Set<number>();
  const look = gathering('changed devices not loaded', logger, async () => {
    const ids = [...changed];
    changed.clear();
    const devices = await loadDevices(db, ids);
    const found = new Set(devices.map(({ id }) => id));
    for (const id of ids) if (!found.has(id)) forgetDevice(dimensions, id);
    rememberDevices(dimensions, devices);
  });
  return {
    channel: 'iot_device',
    onListening: async () => rememberDevices(dimensions, await loadDevices(db)),
    onNews(id) {
      changed.add(Number(id));
      look.soon();
    },
    settled: look.settled,
  };
}

/** Limits as Odoo keeps them. */
export function limitNews(db: Db, book: LimitBook, logger: Logger): NewsChannel {
  const load = async () => book.replace(await loadLimits(db));
  const look = gathering('changed limits not loaded', logger, load);
  return { channel: 'iot_limits', onListening: load, onNews: look.soon, settled: look.settled };
}

/** Time zones of farms as Odoo keeps them. */
export function zoneNews(db: Db, zones: FarmZones, logger: Logger): NewsChannel {
  const load = async () => zones.replace(await loadFarmZones(db));
  const look = gathering('changed time zones of farms not loaded', logger, load);
  return { channel: 'iot_farm_zones', onListening: load, onNews: look.soon, settled: look.settled };
}

const pullChannel = 'iot_pull';

/** Kinds that Odoo says have changed. Polling is the truth: a hint that is lost only comes later. */
export function pullNews(wake: (kinds: readonly PullKind[]) => void): NewsChannel {
  return {
    channel: pullChannel,
    onListening: () => undefined,
    onNews(payload) {
      const kinds = payload.split(',').flatMap((kind) => pullKindSchema.safeParse(kind).data ?? []);
      if (kinds.length > 0) wake(kinds);
    },
  };
}

/** Tells the connector that pulls from Odoo, be it this one or another, to pull these kinds now. */
export async function tellPull(db: Queryable, kinds: readonly PullKind[]): Promise<void> {
  await db.query('SELECT pg_notify($1, $2)', [pullChannel, kinds.join(',')]);
}

/** Somebody has put records into the outbox, be it this process or another. Polling is the truth here too. */
export function outboxNews(wake: () => void): NewsChannel {
  return { channel: outboxChannel, onListening: wake, onNews: wake };
}

/** Runs `look` a moment after the first call, and again when more came meanwhile. */
function gathering(complaint: string, logger: Logger, look: () => Promise<void>) {
  let looking: Promise<void> | undefined;
  let again = false;
  const soon = (): void => {
    again = true;
    looking ??= (async () => {
      while (again) {
        await sleep(gatherMs);
        again = false;
        await look();
      }
    })()
      // The database is away: the connection that listens will be too, and loads everything when it is back.
      .catch((error: unknown) => logger.warn({ error: messageOf(error) }, complaint))
      .finally(() => (looking = undefined));
  };
  return { soon, settled: () => looking ?? Promise.resolve() };
}
