// Whose tags count at a stall: messages through the writer and a real database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  loadDimensions,
  putDevices,
  rememberDevices,
  type NewDevice,
} from '../../../connector/db/dimensions.ts';
import { inTransaction } from '../../../connector/db/pool.ts';
import { decodeMessage } from '../../../connector/decode/message.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import { createWriter } from '../../../connector/ingest/writer.ts';
import type { DeviceType } from '../../../contract/topics.ts';
import { logger, onEachEdition } from '../../timescale/fixture.ts';
import { catalogue, context } from './delivered-context.ts';
import { message } from './message-fixture.ts';
import { milkingSettings } from './milking-settings.ts';

const minute = 60_000;
const t0 = Date.now() - 60 * minute;
const rfid = '050000000000011';

onEachEdition('whose tags count', (opened) => {
  let farms = 0;

  /** A farm with a milking at stall 2, and a device that says which animal stands there. */
  async function openFarm(registered: Partial<NewDevice> | undefined, type: DeviceType = 'rfid_reader') {
    const { db } = opened();
    farms += 1;
    const farm = `w${farms}`;
    const dimensions = await loadDimensions(db, catalogue);
    const write = createWriter({
      db,
      dimensions,
      unknownDevices: 'discover',
      voidedStamps: () => [],
      milkings: milkingSettings,
      logger,
    });
    const itemOf = (deviceType: DeviceType, uid: string, payload: object): Item => {
      const topic = `dairy/${farm}/${deviceType}/${uid}/data`;
      const sent = Buffer.from(JSON.stringify({ v: 1, points: [], ...payload }));
      const decoded = decodeMessage(topic, sent, Date.now(), context);
      return { message: message({ topic, payload: sent }), decoded, stamp: undefined };
    };
    const register = async (more: Partial<NewDevice>) => {
      const device: NewDevice = {
        farm,
        deviceUid: 'says',
        deviceType: type,
        name: 'says',
        profile: null,
        stall: null,
        seenAt: null,
        state: 'registered',
        ...more,
      };
      rememberDevices(dimensions, await inTransaction(db, (client) => putDevices(client, [device])));
    };
    const meter = (event: string, at: number, points: object[] = []) =>
      itemOf('milk_meter', 'meter-2', { at, stall: '2', session: { id: '1', event }, points });
    if (registered !== undefined) await register(registered);
    await write([meter('start', t0), meter('end', t0 + 5 * minute, [{ m: 'milk_yield', v: 8 }])]);
    return {
      register,
      write,
      itemOf: (payload: object) => itemOf(type, 'says', payload),
      says: (payload: object) => write([itemOf(type, 'says', payload)]),
      /** Whose the milking is, in what Odoo gets. */
      async animal() {
        const { rows } = await db.query<{ rfid: string | null }>(
          `SELECT payload ->> 'rfid' AS rfid FROM iot.outbox WHERE kind = 'milk_session' AND source_id = $1`,
          [`${farm}/meter-2/1`],
        );
        return rows[0]?.rfid;
      },
      async letters() {
        const { rows } = await db.query<{ id: number; reason: string; waits: boolean }>(
          `SELECT id, reason, replayed_at IS NULL AS waits FROM iot.dead_letter WHERE topic LIKE $1 ORDER BY id`,
          [`dairy/${farm}/%`],
        );
        return rows;
      },
      async readings() {
        const { rows } = await db.query<{ metric: string; value: number }>(
          `SELECT metric, value FROM iot.sensor_data WHERE farm_code = $1 AND device_uid = 'says'`,
          [farm],
        );
        return rows;
      },
    };
  }

  const read = { at: t0 + 1000, stall: '2', animal: { rfid } };
  const refused = `tag ${rfid} does not count for stall 2: `;

  test('a registered reader counts at its own stalls: the only one, one of several, or every one', async () => {
    for (const stall of ['2', '1, 2', '1,2,3', '*']) {
      const farm = await openFarm({ stall });
      await farm.says(read);
      assert.equal(await farm.animal(), rfid, stall);
      assert.deepEqual(await farm.letters(), []);
    }
    const silent = await openFarm({ stall: '2' });
    await silent.says({ ...read, stall: undefined });
    assert.equal(await silent.animal(), rfid, 'its only stall need not be said');
  });

  test('what is claimed for another stall, by whom nobody registered, or by no reader, is a dead letter', async () => {
    const cases: [Partial<NewDevice> | undefined, DeviceType, RegExp][] = [
      [
        { stall: '1' },
        'rfid_reader',
        /says is registered for stall 1; if it reads there, enter it in Odoo or/,
      ],
      [{ stall: '1, 12' }, 'rfid_reader', /is registered for stall 1, 12;/],
      [{ stall: null }, 'rfid_reader', /is registered for no stall;/],
      [{ stall: '2', state: 'discovered' }, 'rfid_reader', /is not registered; register it in Odoo or/],
      [undefined, 'rfid_reader', /is not registered;/],
      [{ stall: '1' }, 'milk_meter', /is registered for stall 1;/],
      [undefined, 'milk_meter', /is not registered;/],
      [{ stall: '2' }, 'temperature', /is no tag reader but a temperature$/],
    ];
    for (const [registered, type, reason] of cases) {
      const farm = await openFarm(registered, type);
      const { outcomes } = await farm.says(read);
      assert.equal(outcomes[0]?.kind, 'dead');
      assert.equal(await farm.animal(), null, reason.source);
      const [letter, ...others] = await farm.letters();
      assert.ok(letter !== undefined && letter.reason.startsWith(refused), letter?.reason);
      assert.match(letter.reason, reason);
      assert.deepEqual(others, []);
    }
  });

  test('the topic’s device type does not make a reader of what is registered as something else', async () => {
    const farm = await openFarm({ stall: '2', deviceType: 'collar' });
    await farm.says(read);
    assert.equal(await farm.animal(), null);
    assert.match((await farm.letters())[0]?.reason ?? '', /is no tag reader but a collar$/);
  });

  test('values beside a tag that does not count are kept; only the tag is a dead letter', async () => {
    const farm = await openFarm({ stall: '1' });
    await farm.says({ ...read, points: [{ m: 'battery', v: 80 }] });
    assert.deepEqual(await farm.readings(), [{ metric: 'battery', value: 80 }]);
    assert.equal(await farm.animal(), null);
    assert.equal((await farm.letters()).length, 1);
  });

  test('registered later, what waits is replayed and counts', async () => {
    for (const points of [[], [{ m: 'battery', v: 80 }]]) {
      const farm = await openFarm(undefined);
      await farm.says({ ...read, points });
      const [letter] = await farm.letters();
      assert.ok(letter !== undefined);
      const again = farm.itemOf({ ...read, points });
      const replayed = { ...again, message: { ...again.message, deadLetterId: letter.id } };
      await farm.write([replayed]);
      assert.deepEqual(
        (await farm.letters()).map(({ waits }) => waits),
        [true],
        'still nobody has registered it',
      );
      await farm.register({ stall: '*' });
      await farm.write([replayed]);
      assert.equal(await farm.animal(), rfid);
      assert.deepEqual(
        (await farm.letters()).map(({ waits }) => waits),
        [false],
      );
    }
  });

  test('the tag of a collar says whose its values are, wherever it hangs: no claim, no letter', async () => {
    const farm = await openFarm({ stall: '2', deviceType: 'collar' }, 'collar');
    await farm.says({ at: t0 + 1000, animal: { rfid }, points: [{ m: 'battery', v: 80 }] });
    assert.deepEqual(await farm.letters(), []);
    assert.equal(await farm.animal(), null);
  });
});
