// All three transports against a real Odoo 19: the same results and the same sorting of refusals.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createOdooClient } from '../../../connector/odoo/client.ts';
import { OdooError } from '../../../connector/odoo/errors.ts';
import { mappings, toOdooRecord } from '../../../connector/odoo/mapping/index.ts';
import type { OdooClient } from '../../../connector/odoo/transport.ts';
import { noOdoo, odooDatabase, type TestOdoo } from '../../support/stack.ts';
import { alert, device, milkSession } from '../outbox/records.ts';

const transports = ['json2', 'jsonrpc', 'xmlrpc', 'auto'] as const;

describe('real Odoo', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  before(async () => {
    odoo = await odooDatabase();
  });
  after(() => odoo.drop());

  const connect = (
    transport: (typeof transports)[number],
    changes: { database?: string; apiKey?: string } = {},
  ) =>
    createOdooClient({
      url: odoo.url,
      database: changes.database ?? odoo.db,
      login: 'smart_dairy_connector',
      apiKey: changes.apiKey ?? odoo.apiKey,
      transport,
    });
  const admin = () =>
    createOdooClient({
      url: odoo.url,
      database: odoo.db,
      login: odoo.login,
      apiKey: odoo.password,
      transport: 'jsonrpc',
    });

  async function failure(client: OdooClient, model: string, method: string, args = {}): Promise<OdooError> {
    const error = await client.call(model, method, args).then(
      (answer) => assert.fail(`should have failed: ${JSON.stringify(answer)}`),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof OdooError, String(error));
    assert.ok(!error.message.includes(odoo.apiKey));
    return error;
  }

  for (const transport of transports) {
    describe(transport, () => {
      test('tells its version without login', async () => {
        assert.equal((await connect(transport, { apiKey: 'wrong' }).version()).major, 19);
      });

      test('every kind is created, then unchanged, then updated, and an old revision is stale', async () => {
        const client = connect(transport);
        const payloads = {
          device: device({ device_uid: `meter_${transport}` }),
          milk_session: milkSession({ grade: null }),
          alert: alert(),
        };
        for (const [kind, payload] of Object.entries(payloads)) {
          const mapping = mappings[kind as keyof typeof payloads];
          const statuses: string[] = [];
          // The last two: an older revision with the content that is there, and one with another content.
          for (const revision of [2, 2, 3, 1, 0]) {
            const said = revision === 0 ? { ...payload, device_uid: 'another' } : payload;
            const record = toOdooRecord(mapping, {
              sourceId: `${transport}/${kind}`,
              revision,
              payload: said,
            });
            const [result] = (await client.call(mapping.model, 'upsert_batch', { records: [record] })) as [
              { status: string; error: unknown },
            ];
            statuses.push(result.status);
            assert.equal(result.error !== false, result.status === 'stale');
          }
          assert.deepEqual(statuses, ['created', 'unchanged', 'updated', 'unchanged', 'stale'], kind);
        }
      });

      test('values arrive as they were sent', async () => {
        const payload = milkSession({ animal_ref: 'Ærø <&> 7' });
        const record = toOdooRecord(mappings.milk_session, {
          sourceId: `${transport}/values`,
          revision: 1,
          payload,
        });
        await connect(transport).call('iot.milk.session', 'upsert_batch', { records: [record] });
        const names = [
          'start_datetime',
          'yield_kg',
          'animal_ref',
          'quality_grade',
          'somatic_cell_count',
          'stall',
        ];
        const [found] = (await admin().call('iot.milk.session', 'search_read', {
          domain: [['source_id', '=', `${transport}/values`]],
          fields: names,
        })) as [Record<string, unknown>];
        assert.deepEqual(
          names.map((name) => found[name]),
          names.map((name) => record[name]),
        );
      });

      test('an empty batch is a cheap question whether all is well', async () => {
        assert.deepEqual(await connect(transport).call('iot.alert', 'upsert_batch', { records: [] }), []);
      });

      test('a bad record is an answer, not a failure', async () => {
        const record = { source: 'smart_dairy', source_id: `${transport}/bad`, revision: 1, farm: 'farm1' };
        const records = [{ ...record, start_datetime: 'yesterday' }];
        const [result] = (await connect(transport).call('iot.milk.session', 'upsert_batch', { records })) as [
          { status: string; error_type: string },
        ];
        assert.equal(result.status, 'error');
        assert.equal(result.error_type, 'validation');
      });

      test('a wrong key is denied', async () => {
        assert.equal(
          (await failure(connect(transport, { apiKey: 'x'.repeat(40) }), 'iot.device', 'upsert_batch'))
            .reason,
          'denied',
        );
      });

      test('missing rights are denied', async () => {
        const error = await failure(connect(transport), 'res.users', 'create', {
          vals_list: [{ name: 'x', login: 'x' }],
        });
        assert.equal(error.reason, 'denied', error.message);
      });

      test('an unknown model or method says to install the addon', async () => {
        for (const [model, method] of [
          ['iot.nothing', 'upsert_batch'],
          ['iot.device', 'upsert_nothing'],
        ] as const) {
          const error = await failure(connect(transport), model, method, { records: [] });
          assert.equal(error.reason, 'misconfigured', error.message);
          assert.match(error.message, /install .*smart_dairy_iot/);
        }
      });

      test('a wrong signature is the addon’s version, not the record', async () => {
        const error = await failure(connect(transport), 'iot.device', 'upsert_batch', { recordz: [] });
        assert.equal(error.reason, 'misconfigured', error.message);
      });

      test('an unknown database is a misconfiguration', async () => {
        const error = await failure(
          connect(transport, { database: 'no_such_database' }),
          'iot.device',
          'upsert_batch',
          {
            records: [],
          },
        );
        assert.equal(error.reason, 'misconfigured', error.message);
        assert.match(error.message, /ODOO_DB/);
      });

      test('values that the model refuses are rejected, an exception in Odoo is a crash', async () => {
        const create = (vals: Record<string, unknown>) =>
          failure(connect(transport), 'iot.device', 'create', { vals_list: [vals] });
        assert.equal((await create({})).reason, 'rejected');
        assert.equal((await create({ no_such_field: 1 })).reason, 'crash');
      });
    });
  }
});
