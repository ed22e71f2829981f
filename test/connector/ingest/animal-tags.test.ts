// Whose a milking is at its time: tags that move between animals, and what was to be expected of each of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadDimensions } from '../../../connector/db/dimensions.ts';
import { inTransaction } from '../../../connector/db/pool.ts';
import { pulledKinds } from '../../../connector/db/pulled/index.ts';
import { removeFromOdoo } from '../../../connector/db/pulled/kind.ts';
import { createWriter } from '../../../connector/ingest/writer.ts';
import { loadMetrics } from '../../../contract/runtime/profiles.ts';
import { logger, onEachEdition } from '../../timescale/fixture.ts';
import { message } from './message-fixture.ts';
import { milkingSettings } from './milking-settings.ts';

const hour = 3_600_000;
const day = 24 * hour;
/** Last week, at eight. */
const t0 = Math.floor(Date.now() / day) * day - 7 * day + 8 * hour;
const catalogue = loadMetrics('config/metrics.yaml');
const [first, second] = ['050000000000011', '050000000000012'];

onEachEdition('animals of their time', (opened) => {
  let farms = 0;
  let ids = 1_000;

  async function openFarm() {
    const { db } = opened();
    farms += 1;
    const farm = `animals${farms}`;
    const put = { knowsProfile: () => true, logger };
    const write = createWriter({
      db,
      dimensions: await loadDimensions(db, catalogue),
      unknownDevices: 'discover',
      voidedStamps: () => [],
      milkings: { ...milkingSettings, meanLeastMilkings: 2 },
      logger,
    });
    return {
      farm,
      async animal(name: string) {
        ids += 1;
        const record = {
          id: ids,
          active: true,
          farm,
          name,
          rfid_tag: null,
          ear_tag: null,
          pen: null,
          state: null,
        };
        await inTransaction(db, (client) => pulledKinds.animal.put(client, [record], put));
        return ids;
      },
      /** Ends of spans in epoch ms. */
      async span(animal: number, tag: string, start: number | null, end: number | null, kind = 'rfid') {
        ids += 1;
        const utc = (at: number | null) =>
          at === null ? null : new Date(at).toISOString().slice(0, 19).replace('T', ' ');
        const span = {
          id: ids,
          active: true,
          animal_id: animal,
          kind,
          tag,
          valid_from: utc(start),
          valid_to: utc(end),
        };
        await inTransaction(db, (client) => pulledKinds.animal_tag.put(client, [span], put));
        return ids;
      },
      remove: (kind: 'animal' | 'animal_tag', id: number) =>
        inTransaction(db, (client) => removeFromOdoo(client, pulledKinds[kind], [id])),
      /** A finished milking; the same time again corrects it. */
      milk: (at: number, kg: number, who: { rfid?: string; animalRef?: string }, revision = 0) =>
        write([
          {
            message: message(),
            decoded: {
              kind: 'data',
              address: { farm, deviceType: 'milk_meter', deviceUid: 'm', messageType: 'data' },
              data: {
                at,
                points: [{ metric: 'milk_yield', time: at, value: kg, quality: 0 }],
                rfid: who.rfid,
                animalRef: who.animalRef,
                session: { id: `${at}`, event: 'record', revision },
                stall: undefined,
                profile: undefined,
              },
            },
            stamp: undefined,
          },
        ]),
      /** What was to be expected of the milking of this moment, in what Odoo gets. */
      async expected(at: number) {
        const { rows } = await db.query<{ kg: number | null }>(
          `SELECT (payload ->> 'expected_yield_kg')::float8 AS kg FROM iot.outbox
           WHERE kind = 'milk_session' AND source_id = $1`,
          [`${farm}/m/${at}`],
        );
        return rows[0]?.kg;
      },
    };
  }

  test('a tag that moved: each milking is held against the animal that carried it then', async () => {
    const farm = await openFarm();
    const [bella, buttercup] = [await farm.animal('Bella'), await farm.animal('Buttercup')];
    const moved = t0 + 5 * day;
    await farm.span(bella, first, null, moved);
    await farm.span(buttercup, second, null, moved);
    await farm.span(buttercup, first, moved, null);
    for (const n of [0, 1, 2]) {
      await farm.milk(t0 + n * day, 10 + n, { rfid: first });
      await farm.milk(t0 + n * day + hour, 20 + n, { rfid: second });
    }
    await farm.milk(moved + hour, 22, { rfid: first });
    assert.equal(await farm.expected(moved + hour), 21, 'Buttercup’s, by the tag that she had before');
    // Late: it is Bella's, and says nothing of Buttercup.
    await farm.milk(t0 + 3 * day, 14, { rfid: first });
    assert.equal(await farm.expected(t0 + 3 * day), 11);
    await farm.milk(t0 + 2 * day, 15, { rfid: first }, 1);
    assert.equal(await farm.expected(t0 + 3 * day), 12, 'of a corrected milking before');
    assert.equal(await farm.expected(moved + hour), 21);
    // And Buttercup's own late milking does.
    await farm.milk(t0 + 4 * day, 25, { rfid: second });
    assert.equal(await farm.expected(moved + hour), 22);
  });

  test('RFID, ear tag and collar of one animal are one animal; a number of another farm is another one', async () => {
    const [farm, other] = [await openFarm(), await openFarm()];
    const [here, there] = [await farm.animal('42'), await other.animal('42')];
    await farm.span(here, first, null, null);
    for (const kind of ['ear', 'collar']) await farm.span(here, '42', null, null, kind);
    await other.span(there, '42', null, null, 'ear');
    await farm.milk(t0, 10, { rfid: first });
    await farm.milk(t0 + day, 20, { animalRef: '42' });
    await other.milk(t0 + day, 90, { animalRef: '42' });
    await farm.milk(t0 + 2 * day, 15, { rfid: first, animalRef: '42' });
    assert.equal(await farm.expected(t0 + 2 * day), 15);
    await other.milk(t0 + 2 * day, 90, { animalRef: '42' });
    assert.equal(await other.expected(t0 + 2 * day), null, 'too little history of its own');
    await other.span(there, second, null, null);
    await other.milk(t0 + 3 * day, 30, { rfid: second });
    await other.milk(t0 + 4 * day, 70, { animalRef: '42' });
    assert.equal(await other.expected(t0 + 4 * day), 70, 'its own by both of its tags');
  });

  test('a tag that nobody has is held against itself, without what was somebody’s', async () => {
    const farm = await openFarm();
    const bella = await farm.animal('Bella');
    const lost = t0 + 3 * day;
    const span = await farm.span(bella, first, null, lost);
    for (const n of [0, 1, 2]) await farm.milk(t0 + n * day, 10, { rfid: first });
    await farm.milk(lost + hour, 20, { rfid: first });
    await farm.milk(lost + day, 20, { rfid: first });
    assert.equal(
      await farm.expected(lost + day),
      null,
      'of a stranger with Bella’s old tag there is one milking',
    );
    await farm.milk(lost + 2 * day, 20, { rfid: first });
    assert.equal(await farm.expected(lost + 2 * day), 20);
    // Deleted in Odoo: nobody had it, ever.
    await farm.remove('animal_tag', span);
    await farm.milk(lost + 3 * day, 20, { rfid: first });
    assert.equal(await farm.expected(lost + 3 * day), 15);
  });

  test('an animal that is deleted in Odoo has had no tags', async () => {
    const { db } = opened();
    const farm = await openFarm();
    const bella = await farm.animal('Bella');
    await farm.span(bella, first, null, null);
    await farm.remove('animal', bella);
    const { rows } = await db.query('SELECT FROM iot.animal_tag WHERE animal_odoo_id = $1', [bella]);
    assert.equal(rows.length, 0);
  });
});
