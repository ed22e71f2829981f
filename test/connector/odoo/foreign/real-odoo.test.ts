// Milkings into a model of the farm's own, in a real Odoo without our addons, over both older protocols.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createOdooClient } from '../../../../connector/odoo/client.ts';
import { messageOf } from '../../../../contract/errors.ts';
import { OdooError } from '../../../../connector/odoo/errors.ts';
import { checkMapping } from '../../../../connector/odoo/foreign/check.ts';
import { mappedKinds } from '../../../../connector/odoo/foreign/mappings.ts';
import { loadOdooMapping } from '../../../../connector/odoo/foreign/schema.ts';
import type { OdooClient } from '../../../../connector/odoo/transport.ts';
import { createOutboxWorker } from '../../../../connector/outbox/worker.ts';
import { odooAdmin, type OdooAdmin } from '../../../support/odoo.ts';
import { noOdoo, plainOdooDatabase, type TestOdoo } from '../../../support/stack.ts';
import { logger, openOutboxDatabase, put, until, type OutboxDatabase } from '../../outbox/fixture.ts';
import { milkSession } from '../../outbox/records.ts';

const fields = `
      x_name: { from: source_id }
      x_start: { from: started_at }
      x_day: { from: started_at }
      x_litres: { from: yield_kg, scale: 2 }
      x_complete: { from: complete }
      x_quality: { from: grade, map: { A: good, B: good, C: fair, reject: poor } }
      x_animal_id: { lookup: x_animal, by: x_rfid, from: rfid, missing: park }
      x_where: { value: parlour }`;

describe('mapping mode, Odoo without our addons', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let admin: OdooAdmin;
  let database: OutboxDatabase;
  let folder: string;
  before(async () => {
    [odoo, database] = await Promise.all([plainOdooDatabase(), openOutboxDatabase()]);
    folder = mkdtempSync(join(tmpdir(), 'smart-dairy-mapping-'));
    admin = odooAdmin(odoo);
    const field = (name: string, ttype: string, more: object = {}) => [
      0,
      0,
      { name, field_description: name, ttype, ...more },
    ];
    await model('x_animal', [field('x_name', 'char'), field('x_rfid', 'char')]);
    await model('x_milking', [
      field('x_name', 'char'),
      field('x_source', 'char'),
      field('x_start', 'datetime'),
      field('x_day', 'date'),
      field('x_litres', 'float'),
      field('x_complete', 'boolean'),
      field('x_where', 'char', { required: true }),
      field('x_animal_id', 'many2one', { relation: 'x_animal' }),
      field('x_quality', 'selection', {
        selection_ids: ['good', 'fair', 'poor'].map((value) => [0, 0, { value, name: value.toUpperCase() }]),
      }),
    ]);
    await admin.call('x_animal', 'create', { vals_list: [{ x_name: 'Lali', x_rfid: '050000000000001' }] });
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([odoo.drop(), database.close()]);
  });
  beforeEach(() => database.db.query('TRUNCATE iot.outbox'));

  async function model(name: string, field_id: unknown[]): Promise<void> {
    const [id] = (await admin.call('ir.model', 'create', {
      vals_list: [{ name, model: name, field_id }],
    })) as number[];
    const [group] = await admin.read<{ res_id: number }>(
      'ir.model.data',
      [
        ['module', '=', 'base'],
        ['name', '=', 'group_user'],
      ],
      ['res_id'],
    );
    const access = {
      name,
      model_id: id,
      group_id: group?.res_id,
      perm_read: true,
      perm_write: true,
      perm_create: true,
      perm_unlink: true,
    };
    const [rule] = (await admin.call('ir.model.access', 'create', { vals_list: [access] })) as number[];
    // Odoo 19 has cached the rights of the new model by then, without this one; writing it once more clears them.
    await admin.write('ir.model.access', [rule ?? 0], { name: `${name} for users` });
  }
  function mappingOf(text: string) {
    const file = join(folder, 'odoo-mapping.yaml');
    writeFileSync(file, text);
    return loadOdooMapping(file);
  }
  const connect = (transport: 'jsonrpc' | 'xmlrpc') =>
    createOdooClient({ url: odoo.url, database: odoo.db, login: 'admin', apiKey: 'admin', transport });
  const milkings = (name: string) =>
    admin.read<{
      id: number;
      x_name: string;
      x_litres: number;
      x_start: string;
      x_day: string;
      x_quality: string;
    }>(
      'x_milking',
      [['x_name', '=like', `${name}/%`]],
      ['x_name', 'x_litres', 'x_start', 'x_day', 'x_quality', 'x_complete', 'x_where', 'x_animal_id'],
    );

  /** Sends what is in the outbox; the client may lose answers. */
  async function deliver(text: string, client: OdooClient): Promise<void> {
    const worker = createOutboxWorker({
      db: database.db,
      client,
      kinds: mappedKinds(mappingOf(text)),
      logger,
      options: {
        pollMs: 50,
        waits: { target: { baseMs: 20, capMs: 50 }, record: { baseMs: 20, capMs: 50 }, probeMs: 100 },
      },
    });
    worker.start();
    try {
      await until(async () => {
        const { rows } = await database.db.query(`SELECT 1 FROM iot.outbox WHERE state = 'pending'`);
        return rows.length === 0;
      });
    } finally {
      await worker.stop();
    }
  }

  for (const transport of ['jsonrpc', 'xmlrpc'] as const)
    for (const [way, key] of [
      ['external ids', ''],
      ['a key field', '\n    key: x_source'],
    ] as const) {
      test(`${transport}, ${way}: created, updated, lost answers repeated, each milking once`, async () => {
        const name = `${transport}${key.length}`;
        const text = `kinds:\n  milk_session:\n    model: x_milking${key}\n    fields:${fields}\n`;
        const record = {
          rfid: '050000000000001',
          started_at: '2026-11-20T23:30:00.000Z',
          yield_kg: 7.25,
          grade: 'A' as const,
        };
        const rows = Array.from({ length: 20 }, (_, index) => ({
          kind: 'milk_session',
          sourceId: `${name}/m 1.x/${index}`,
          payload: milkSession(record),
        }));
        await put(database.db, rows);
        const client = connect(transport);
        let lost = 0;
        const lossy: OdooClient = {
          ...client,
          async call(...args) {
            const answer = await client.call(...args);
            // Odoo has committed; the connector never hears of it.
            if (lost < 3 && ['load', 'create', 'write'].includes(args[1]) && (lost += 1) > 0)
              throw new OdooError('unreachable', 'lost');
            return answer;
          },
        };
        await deliver(text, lossy);
        const sent = await milkings(name);
        assert.equal(sent.length, 20);
        assert.deepEqual(
          { ...sent[0], id: 0, x_animal_id: 0 },
          {
            id: 0,
            x_name: `${name}/m 1.x/0`,
            x_litres: 14.5,
            x_start: '2026-11-20 23:30:00',
            x_day: '2026-11-20',
            x_quality: 'good',
            x_complete: true,
            x_where: 'parlour',
            x_animal_id: 0,
          },
        );
        await put(
          database.db,
          rows.map((row) => ({
            ...row,
            revision: 2,
            payload: milkSession({ ...record, yield_kg: 8, grade: null }),
          })),
        );
        await deliver(text, lossy);
        const updated = await milkings(name);
        assert.deepEqual(
          updated.map(({ id, x_litres, x_quality }) => [id, x_litres, x_quality]),
          sent.map(({ id }) => [id, 16, false]),
        );
      });
    }

  test('a look-up that finds nothing parks its record, its neighbours arrive', async () => {
    await put(database.db, [
      { kind: 'milk_session', sourceId: 'park/1', payload: milkSession({ rfid: '050000000000009' }) },
      {
        kind: 'milk_session',
        sourceId: 'park/2',
        payload: milkSession({ rfid: '050000000000001', grade: 'B' }),
      },
    ]);
    await deliver(
      `kinds:\n  milk_session:\n    model: x_milking\n    fields:${fields}\n`,
      connect('jsonrpc'),
    );
    const { rows } = await database.db.query<{ source_id: string; last_error: string }>(
      `SELECT source_id, last_error FROM iot.outbox WHERE state = 'parked'`,
    );
    assert.deepEqual(rows, [
      {
        source_id: 'park/1',
        last_error: `x_animal_id: there is no x_animal whose x_rfid is '050000000000009'`,
      },
    ]);
    assert.equal((await milkings('park')).length, 1);
  });

  test('a mapping that does not fit says where and what is near', async () => {
    const wrong = mappingOf(`kinds:
  milk_session:
    model: x_milking
    fields:
      x_litre: { from: yield_kg }
      x_quality: { value: god }
      x_complete: { from: yield_kg }
      x_animal_id: { lookup: x_animal, by: x_rfd, from: rfid }
  alert:
    model: x_milkin
    fields:
      x_name: { from: message }
`);
    const complaints = async (kind: 'milk_session' | 'alert') =>
      checkMapping(connect('jsonrpc'), wrong, kind).then(
        () => assert.fail('it fits'),
        (error: unknown) => messageOf(error).replaceAll(`${folder}/`, '').split('\n'),
      );
    assert.deepEqual(await complaints('milk_session'), [
      `odoo-mapping.yaml:5:7: kinds.milk_session.fields.x_litre: x_milking has no field 'x_litre'; did you mean 'x_litres'?`,
      `odoo-mapping.yaml:6:7: kinds.milk_session.fields.x_quality: x_milking.x_quality: 'god' is not one of good, fair, poor; did you mean 'good'?`,
      `odoo-mapping.yaml:7:7: kinds.milk_session.fields.x_complete: x_milking.x_complete: is boolean and cannot take the number 'yield_kg'`,
      `odoo-mapping.yaml:8:40: kinds.milk_session.fields.x_animal_id.by: x_animal has no field 'x_rfd'; did you mean 'x_rfid'?`,
      `odoo-mapping.yaml:4:5: kinds.milk_session.fields: x_milking requires x_where, and has no default: add them here`,
    ]);
    assert.deepEqual(await complaints('alert'), [
      `odoo-mapping.yaml:10:5: kinds.alert.model: Odoo has no model 'x_milkin', or this user may not read it; did you mean 'x_milking'?`,
    ]);
    assert.throws(
      () =>
        mappingOf('kinds:\n  alert:\n    model: x_milking\n    fields:\n      x_name: { from: mesage }\n'),
      /odoo-mapping.yaml:5:17: kinds.alert.fields.x_name.from: a alert has no 'mesage'; did you mean 'message'\?/,
    );
  });
});
