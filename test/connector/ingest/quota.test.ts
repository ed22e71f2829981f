// What senders can make the connector keep: farms, devices, dead letters and alerts have quotas.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadDimensions } from '../../../connector/db/dimensions.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import { admit, createAlertQuota, createLetterQuota } from '../../../connector/ingest/quota.ts';
import { createWriter } from '../../../connector/ingest/writer.ts';
import { createLimitBook } from '../../../connector/rules/limits.ts';
import { loadMetrics } from '../../../contract/runtime/profiles.ts';
import { logger, onEachEdition } from '../../timescale/fixture.ts';
import { dataItem, message } from './message-fixture.ts';
import { milkingSettings } from './milking-settings.ts';

test('farms and devices up to their quotas, in their order; known farms are no new ones', () => {
  const state = { farms: new Set(['known']), newFarms: 1, newDevices: new Map([['known', 2]]) };
  const farms = ['known', 'a', 'b', 'known', 'a', 'c'];
  const { newFarms, refused } = admit(
    farms.map((farm) => ({ farm })),
    state,
    { newFarms: 2, newDevicesPerHour: 3 },
  );
  assert.deepEqual(newFarms, ['a']);
  assert.deepEqual([...refused.keys()], [2, 3, 5]);
  assert.match(refused.get(2) ?? '', /farm b is unknown.*intake\.max_new_farms.*replay/);
  assert.match(refused.get(3) ?? '', /farm known got 3 unknown devices.*intake\.max_new_devices_per_hour/);
});

test('dead letters of one farm have an end, those of others too, and each hour starts anew', () => {
  const quota = createLetterQuota(2);
  const kept = (topic: string, at: number) => {
    const tally = quota.begin(at);
    const isKept = tally.isKept(topic);
    tally.commit();
    return isKept;
  };
  const own = ['dairy/a/x', 'dairy/a/y', 'dairy/a/z', 'dairy/b/x'].map((topic) => kept(topic, 0));
  assert.deepEqual(own, [true, true, false, true]);
  const many = Array.from({ length: 100 }, (_, n) => kept(`dairy/invented${n}/x`, 1));
  assert.equal(many.filter(Boolean).length, 17, 'all together have ten times the quota of one');
  assert.equal(kept('dairy/a/x', 3_600_000), true);
});

test('letters of a try that fails use nothing up', () => {
  const quota = createLetterQuota(2);
  const tryAll = (commit: boolean) => {
    const tally = quota.begin(0);
    const kept = ['dairy/a/x', 'dairy/a/y'].map((topic) => tally.isKept(topic));
    if (commit) tally.commit();
    return kept;
  };
  assert.deepEqual([tryAll(false), tryAll(false), tryAll(true)].flat(), Array(6).fill(true));
  assert.deepEqual(tryAll(true), [false, false]);
});

onEachEdition('a batch that is tried again', (opened) => {
  test('leaves as many dead letters as one that is written at once', async () => {
    const { db } = opened();
    const write = createWriter({
      db,
      dimensions: await loadDimensions(db, loadMetrics('config/metrics.yaml')),
      unknownDevices: 'discover',
      voidedStamps: () => [],
      quotas: { newFarms: 3, newDevicesPerHour: 5, deadLettersPerHour: 4 },
      milkings: {} as never,
      logger,
    });
    await db.query(
      `CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'said by the test' USING ERRCODE = '53100'; END $$;
       CREATE TRIGGER fail BEFORE INSERT ON iot.dead_letter FOR EACH ROW EXECUTE FUNCTION public.fail()`,
    );
    const items = [1, 2, 3, 4].map((n): Item => ({
      message: message({ payload: Buffer.from(`{${n}`) }),
      decoded: { kind: 'dead', reason: 'not JSON' },
      stamp: undefined,
    }));
    for (const failures of [0, 1]) await assert.rejects(write(items, 'b', failures), { kind: 'transient' });
    await db.query('DROP FUNCTION public.fail CASCADE');
    const { deadLetters, lettersDropped } = await write(items, 'b', 2);
    assert.deepEqual([deadLetters, lettersDropped], [4, 0]);
    assert.equal((await write(items.slice(0, 1))).lettersDropped, 1, 'the quota is used up');
  });
});

test('new alerts of a device have an end, the last one is known as such, and each hour starts anew', () => {
  const fate = createAlertQuota(2);
  assert.deepEqual(
    ['a', 'b', 'b', 'a', 'c'].map((key) => fate(1, key, 0)),
    ['raised', 'last', 'last', 'raised', 'dropped'],
    'a batch that is tried again counts once',
  );
  assert.equal(fate(2, 'c', 0), 'raised', 'each device has its own');
  assert.equal(fate(1, 'c', 3_600_000), 'raised');
});

onEachEdition('300 invented farms from one account', (opened) => {
  test('make three farms, and dead letters that say why; known farms go on', async () => {
    const { db } = opened();
    const write = createWriter({
      db,
      dimensions: await loadDimensions(db, loadMetrics('config/metrics.yaml')),
      unknownDevices: 'discover',
      voidedStamps: () => [],
      quotas: { newFarms: 3, newDevicesPerHour: 5, deadLettersPerHour: 20 },
      milkings: milkingSettings,
      logger,
    });
    const now = Date.now();
    const itemOf = (farm: string, uid: string): Item => {
      const { decoded } = dataItem([['temperature', now, 4]], { at: now });
      assert.ok(decoded.kind === 'data');
      const topic = `dairy/${farm}/temperature/${uid}/data`;
      const address = { ...decoded.address, farm, deviceUid: uid };
      return {
        message: message({ topic, arrivedAt: now }),
        decoded: { ...decoded, address },
        stamp: undefined,
      };
    };
    const first = await write(Array.from({ length: 300 }, (_, n) => itemOf(`farm${n}`, 'a')));
    assert.equal(first.readings, 3);
    assert.equal(first.outcomes.filter(({ kind }) => kind === 'dead').length, 297);
    assert.equal(first.deadLetters, 200);
    assert.equal(first.lettersDropped, 97);
    const farms = await db.query('SELECT code FROM iot.farm WHERE from_traffic ORDER BY code');
    assert.deepEqual(
      farms.rows.map(({ code }: { code: string }) => code),
      ['farm0', 'farm1', 'farm2'],
    );
    const again = await write([
      itemOf('another', 'a'),
      ...Array.from({ length: 9 }, (_, n) => itemOf('farm0', `d${n}`)),
    ]);
    assert.equal(again.readings, 4, 'farm0 has one device already, of five');
    const entered = await db.query(`INSERT INTO iot.farm (code, name) VALUES ('another', 'Another')`);
    assert.equal(entered.rowCount, 1);
    assert.equal((await write([itemOf('another', 'a')])).readings, 1);
  });
});

onEachEdition('a meter that finds something in every milking', (opened) => {
  test('raises alerts up to its quota, the last one says so; its milkings all count', async () => {
    const { db } = opened();
    const quota = createAlertQuota(2);
    const write = createWriter({
      db,
      dimensions: await loadDimensions(db, loadMetrics('config/metrics.yaml')),
      unknownDevices: 'discover',
      voidedStamps: () => [],
      milkings: {
        ...milkingSettings,
        limits: createLimitBook(new Map([['milk_scc', [{ low: null, high: 400_000, severity: 'medium' }]]])),
        alertQuota: (deviceId, key) => quota(deviceId, key, 0),
      },
      logger,
    });
    const start = Date.now() - 12 * 3_600_000;
    const milking = (n: number, cells: number): Item => {
      const at = start + n * 3_600_000;
      const session = { id: `s${n}`, event: 'record' as const };
      return dataItem(
        [
          ['milk_yield', at, 10],
          ['milk_scc', at, cells],
        ],
        { at, session },
      );
    };
    await write([1, 2, 3, 4].map((n) => milking(n, 500_000)));
    const alerts = async () =>
      (await db.query<{ message: string }>('SELECT message FROM iot.alert ORDER BY raised_at')).rows.map(
        ({ message: text }) => text.includes('intake.max_alerts_per_hour'),
      );
    assert.deepEqual(await alerts(), [false, true]);
    const { rows } = await db.query('SELECT FROM iot.milk_session WHERE revision > 0');
    assert.equal(rows.length, 4);
  });
});
