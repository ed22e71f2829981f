// The API key on the real Odoo: renewed by Odoo's button and by the connector, replaced by hand, and warned of in time.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createKeyStore } from '../../../connector/odoo/key-file.ts';
import { createKeyKeeper } from '../../../connector/odoo/key-keeper.ts';
import { createKeyedClient } from '../../../connector/odoo/keyed-client.ts';
import { eventually, startConnector, type TestConnector } from '../../support/connector.ts';
import { milkRecord } from '../../support/milk.ts';
import { callSigned, databaseUuid } from '../../support/odoo-sync.ts';
import { odooAdmin, type OdooAdmin } from '../../support/odoo.ts';
import { withClient } from '../../../scripts/ops/stack/database.ts';
import { noOdoo, odooDatabase, stackEnv, type TestOdoo } from '../../support/stack.ts';
import { logger } from '../outbox/fixture.ts';

const secret = 'a-secret-that-both-sides-know';

describe('API key', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let admin: OdooAdmin;
  let folder: string;
  let file: string;
  before(async () => {
    odoo = await odooDatabase();
    admin = odooAdmin(odoo);
    folder = mkdtempSync(join(tmpdir(), 'smart-dairy-key-'));
    file = join(folder, 'keys', 'odoo');
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await odoo.drop();
  });

  const target = () =>
    ({ url: odoo.url, database: odoo.db, login: 'smart_dairy_connector', transport: 'json2' }) as const;
  const keeperOf = (path: string, rotateDays: number, warnDays = 14) => {
    const warnings: (string | undefined)[] = [];
    const keys = createKeyStore(path, odoo.apiKey);
    const client = createKeyedClient(target(), keys);
    const onWarning = (warning: string | undefined) => warnings.push(warning);
    return {
      keeper: createKeyKeeper({ client, keys, logger, warnDays, rotateDays, onWarning }),
      keys,
      client,
      warnings,
    };
  };
  const works = async (apiKey: string) => {
    const client = createKeyedClient(target(), { read: () => apiKey });
    return client.call('iot.device', 'upsert_batch', { records: [] }).then(
      () => true,
      () => false,
    );
  };

  test('Odoo says when the key ends; close to it people are warned, once', async () => {
    const { keeper, warnings } = keeperOf('', 400, 400);
    await keeper.check();
    await keeper.check();
    const days = ((keeper.status().expires?.getTime() ?? 0) - Date.now()) / 86_400_000;
    assert.ok(days > 300 && days < 366, `${days} days`);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^the API key for Odoo ends in 36\d days: .*odoo\.api_key_file/);
  });

  test('the connector renews the key by itself where it may keep it; the old one works on for a while', async () => {
    const { keeper, keys, client, warnings } = keeperOf(file, 400);
    await keeper.check();
    assert.notEqual(keys.read(), odoo.apiKey);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(warnings, []);
    assert.equal(await works(keys.read()), true);
    assert.equal(await works(odoo.apiKey), true, 'no gap');
    await client.call('iot.device', 'upsert_batch', { records: [] });
  });

  describe('a running connector', () => {
    let connector: TestConnector;
    before(async () => {
      rmSync(file, { force: true });
      connector = await startConnector({
        odoo,
        odooYaml: `secret: ${secret}, api_key_file: ${file}, key_rotate_days: 0`,
      });
    });
    after(() => connector.drop());
    const milk = async (session_id: string) => {
      await connector.mqtt.publishAsync(
        `dairy/${connector.farm}/milk_meter/m1/data`,
        JSON.stringify(milkRecord({ device_id: 'm1', session_id })),
        { qos: 1 },
      );
      await eventually('it is in Odoo', async () => {
        const found = await admin.read(
          'iot.milk.session',
          [['source_id', '=like', `${connector.farm}/m1/%`]],
          ['source_id'],
        );
        return found.some(({ source_id }) => String(source_id).includes(session_id));
      });
    };

    test('renewed from Odoo, then the former key is withdrawn: nothing stops', async () => {
      await milk('k1');
      const answer = await callSigned(connector.url, secret, 'key/rotate', {}, await databaseUuid(admin));
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const fresh = readFileSync(file, 'utf8').trim();
      assert.notEqual(fresh, odoo.apiKey);
      assert.ok(!JSON.stringify(answer.body).includes(fresh), 'the key itself never travels');
      const keys = await admin.read<{ id: number }>(
        'res.users.apikeys',
        [['user_id.login', '=', 'smart_dairy_connector']],
        ['id'],
      );
      const newest = Math.max(...keys.map(({ id }) => id));
      await withdraw(keys.map(({ id }) => id).filter((id) => id !== newest));
      assert.equal(await works(odoo.apiKey), false);
      await milk('k2');
      assert.ok(!connector.log().includes(fresh), 'nor is it logged');
    });

    test('an administrator puts a new key into the file: no restart', async () => {
      const current = readFileSync(file, 'utf8').trim();
      const client = createKeyedClient(target(), { read: () => current });
      const { api_key: next } = (await client.call('iot.connector', 'rotate_key', {})) as { api_key: string };
      const keys = await admin.read<{ id: number }>(
        'res.users.apikeys',
        [['user_id.login', '=', 'smart_dairy_connector']],
        ['id'],
      );
      const newest = Math.max(...keys.map(({ id }) => id));
      await withdraw(keys.map(({ id }) => id).filter((id) => id !== newest));
      writeFileSync(file, `${next}\n`, { mode: 0o600 });
      await milk('k3');
    });

    /** As when Odoo's own clean-up removes keys that have ended. */
    async function withdraw(ids: number[]): Promise<void> {
      const server = new URL(stackEnv()['ADMIN_DATABASE_URL'] ?? '');
      const url = Object.assign(server, { pathname: `/${odoo.db}` }).href;
      await withClient(url, (query) => query(`delete from res_users_apikeys where id in (${ids.join()})`));
    }
  });
});
