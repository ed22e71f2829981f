// Odoo, the database or the broker go away and come back: the connector says so, and everything arrives once.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, startConnector, type TestConnector } from '../support/connector.ts';
import { milkRecord } from '../support/milk.ts';
import { odooAdmin, type OdooAdmin } from '../support/odoo.ts';
import {
  noOdoo,
  odooDatabase,
  startBroker,
  startDatabase,
  startOdoo,
  stopBroker,
  stopDatabase,
  stopOdoo,
  type TestOdoo,
} from '../support/stack.ts';

interface Ready {
  status: string;
  checks: Record<'database' | 'mqtt' | 'odoo' | 'outbox', { ok: boolean; detail: string }>;
}

describe('outages', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let admin: OdooAdmin;
  let connector: TestConnector;
  before(async () => {
    odoo = await odooDatabase();
    admin = odooAdmin(odoo);
    connector = await startConnector({ odoo });
  });
  after(async () => {
    await connector.drop();
    await odoo.drop();
  });

  const publish = (session: string) =>
    connector.mqtt.publishAsync(
      `dairy/${connector.farm}/milk_meters/m1/data`,
      JSON.stringify(milkRecord({ session_id: session, timestamp: new Date().toISOString() })),
      { qos: 1 },
    );
  const inOdoo = async (session: string) =>
    Number(
      await admin.call('iot.milk.session', 'search_count', {
        domain: [['source_id', '=', `${connector.farm}/m1/${session}`]],
      }),
    );
  const ready = async () => (await (await connector.get('/health/ready')).json()) as Ready;

  it('Odoo stopped: the record waits, readiness names it, it arrives once', async () => {
    await stopOdoo();
    try {
      await publish('odoo-down');
      await eventually('readiness names Odoo', async () => {
        const { status, checks } = await ready();
        return (
          status === 'degraded' &&
          checks.odoo.detail.startsWith('unreachable') &&
          checks.outbox.detail.includes('wait')
        );
      });
    } finally {
      await startOdoo();
    }
    await eventually('in Odoo', async () => (await inOdoo('odoo-down')) === 1, 180_000);
    await eventually('ready again', async () => (await ready()).status === 'ready');
    assert.equal(await inOdoo('odoo-down'), 1);
  });

  it('database stopped: the broker keeps the messages, readiness is down, all arrive once', async () => {
    await stopDatabase();
    try {
      for (let i = 0; i < 20; i++) await publish(`db-${i}`);
      await eventually('down', async () => {
        const response = await connector.get('/health/ready');
        const { checks } = (await response.json()) as Ready;
        return response.status === 503 && !checks.database.ok;
      });
    } finally {
      await startDatabase();
    }
    await eventually(
      'all in Odoo',
      async () => {
        for (let i = 0; i < 20; i++) if ((await inOdoo(`db-${i}`)) !== 1) return false;
        return true;
      },
      180_000,
    );
  });

  it('broker stopped: the connector comes back by itself', async () => {
    await stopBroker();
    try {
      await eventually('down', async () => !(await ready()).checks.mqtt.ok);
    } finally {
      await startBroker();
    }
    await eventually('connected again', async () => (await ready()).checks.mqtt.ok);
    await publish('broker-back');
    await eventually('in Odoo', async () => (await inOdoo('broker-back')) === 1);
  });
});
