// One kind from Odoo into the database: pages after the cursor, each written together with the cursor that follows it.
import type { Logger } from '../../contract/runtime/logger.ts';
import {
  odooIdsBeyond,
  putAnimals,
  putAssignments,
  putFarms,
  putOdooDevices,
  putPens,
  putThresholds,
  readCursor,
  removeFromOdoo,
  writeCursor,
} from '../db/odoo-sync.ts';
import { inTransaction, type Db, type PoolClient } from '../db/pool.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { pullKinds, readPage, type PulledRecord, type PullKind } from './records.ts';

/** What pulling works with. */
export interface PullContext {
  db: Db;
  client: OdooClient;
  logger: Logger;
  /** Records per call. */
  pageSize: number;
  /** Whether a profile of this name exists; a device with another one keeps what it has. */
  knowsProfile: (name: string) => boolean;
  abort: AbortSignal;
}

type Apply<K extends PullKind> = (
  client: PoolClient,
  records: PulledRecord<K>[],
  context: PullContext,
) => Promise<void>;

const apply: { [K in PullKind]: Apply<K> } = {
  farm: putFarms,
  pen: putPens,
  animal: putAnimals,
  assignment: putAssignments,
  threshold: putThresholds,
  async device(client, records, { knowsProfile, logger }) {
    for (const device of records) {
      if (device.profile === null || knowsProfile(device.profile)) continue;
      logger.warn(
        { device: `${device.farm}/${device.device_uid}`, profile: device.profile },
        'Odoo names a profile that config/profiles/ does not have; the device keeps its own',
      );
      device.profile = null;
    }
    await putOdooDevices(client, records);
  },
  async tombstone(client, records) {
    for (const kind of pullKinds)
      if (kind !== 'tombstone')
        await removeFromOdoo(
          client,
          kind,
          records.filter((record) => record.kind === kind).map((record) => record.res_id),
        );
  },
};

/** What a pull brought. */
export interface Pulled {
  count: number;
  /** Odoo has more that it cannot show yet. */
  heldBack: boolean;
}

/** Pulls until nothing more has changed. Throws OdooError, or what the database throws. */
export async function pullKind(kind: PullKind, context: PullContext): Promise<Pulled> {
  const { db, client, logger } = context;
  const start = await readCursor(db, kind);
  // A full pass keeps its place only in memory: interrupted, it begins anew, and nothing counts as gone before it has ended.
  const met: number[] = [];
  let cursor = start.fullPass ? '' : start.cursor;
  let count = 0;
  let heldBack = false;
  for (let more = true; more;) {
    context.abort.throwIfAborted();
    const answer = await client.call(
      'iot.connector',
      'pull',
      { kind, cursor, limit: context.pageSize },
      context.abort,
    );
    const page = readPage(kind, answer);
    for (const reason of page.skipped) logger.warn({ kind, reason }, 'a record of Odoo cannot be taken');
    more = page.more && page.cursor !== cursor;
    cursor = page.cursor;
    heldBack = page.heldBack;
    count += page.records.length;
    if (start.fullPass) met.push(...page.records.map(({ id }) => id));
    const ended = start.fullPass && !more;
    if (page.records.length === 0 && !ended) continue;
    await inTransaction(db, async (transaction) => {
      await (apply[kind] as Apply<PullKind>)(transaction, page.records, context);
      if (ended && kind !== 'tombstone')
        await removeFromOdoo(transaction, kind, await odooIdsBeyond(transaction, kind, met));
      if (!start.fullPass || ended)
        await writeCursor(transaction, kind, {
          cursor,
          records: start.fullPass ? count : page.records.length,
          full: ended,
        });
    });
  }
  return { count, heldBack };
}
