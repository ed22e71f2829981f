// Who says what a device is: the configuration, until a person keeps it in Odoo; then it only fills gaps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { putDevices, type NewDevice } from '../../../connector/db/dimensions.ts';
import { migrate } from '../../../connector/db/migrate.ts';
import { inTransaction, openPool } from '../../../connector/db/pool.ts';
import { device as pulledDevice, putOdooDevices } from '../../../connector/db/pulled/device.ts';
import type { PulledRecord } from '../../../connector/db/pulled/index.ts';
import { removeFromOdoo } from '../../../connector/db/pulled/kind.ts';
import { createDatabase } from '../../support/stack.ts';

const configured: NewDevice = {
  farm: 'f',
  deviceUid: 'm1',
  deviceType: 'milk_meter',
  name: 'Meter 1',
  profile: 'generic-milk-meter-modbus',
  stall: '1',
  seenAt: null,
  state: 'registered',
};
const inOdoo: PulledRecord<'device'> = {
  id: 7,
  active: true,
  farm: 'f',
  device_uid: 'm1',
  device_type: 'milk_meter',
  name: 'Left row',
  profile: null,
  stall: '12',
  manufacturer: null,
  model: null,
  state: 'active',
};

test('what a person keeps in Odoo is not overwritten by the configuration at a start', async () => {
  const logger = pino({ level: 'silent' });
  const database = await createDatabase();
  const db = openPool(database.url, 2, logger);
  try {
    await migrate(db, logger);
    const start = (device: Partial<NewDevice> = {}) =>
      inTransaction(db, (client) => putDevices(client, [{ ...configured, ...device }]));
    const pulled = (device: Partial<PulledRecord<'device'>> = {}) =>
      inTransaction(db, (client) => putOdooDevices(client, [{ ...inOdoo, ...device }]));
    const now = async () =>
      (await db.query('SELECT name, profile, stall, state FROM iot.device')).rows[0] as unknown;

    await start({ profile: null });
    await pulled({ state: 'discovered', name: 'm1', stall: null });
    await start({ profile: null, stall: '2' });
    assert.deepEqual(
      await now(),
      { name: 'Meter 1', profile: null, stall: '2', state: 'registered' },
      'nobody has looked at it in Odoo yet',
    );
    await pulled();
    await start();
    assert.deepEqual(
      await now(),
      { name: 'Left row', profile: configured.profile, stall: '12', state: 'registered' },
      'the gap is filled, the rest stays',
    );
    await pulled({ state: 'refused', profile: 'another' });
    await start();
    assert.deepEqual(await now(), { name: 'Left row', profile: 'another', stall: '12', state: 'rejected' });
    await inTransaction(db, (client) => removeFromOdoo(client, pulledDevice, [7]));
    await start();
    assert.deepEqual(await now(), {
      name: 'Meter 1',
      profile: configured.profile,
      stall: '1',
      state: 'registered',
    });
  } finally {
    await db.end();
    await database.drop();
  }
});
