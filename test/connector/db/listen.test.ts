// Devices and limits in memory follow the database, whoever changes it, also after the connection was cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { deviceKey, loadDimensions } from '../../../connector/db/dimensions.ts';
import { followNews } from '../../../connector/db/listen.ts';
import { migrate } from '../../../connector/db/migrate.ts';
import { deviceNews, limitNews } from '../../../connector/db/news.ts';
import { openPool } from '../../../connector/db/pool.ts';
import { createLimitBook } from '../../../connector/rules/limits.ts';
import { eventually } from '../../support/connector.ts';
import { createDatabase } from '../../support/stack.ts';

test('devices follow the register', async () => {
  const logger = pino({ level: 'silent' });
  const database = await createDatabase();
  const db = openPool(database.url, 3, logger);
  await migrate(db, logger);
  const book = createLimitBook(new Map());
  const dimensions = await loadDimensions(db, new Map());
  const stop = followNews(
    database.url,
    [deviceNews(db, dimensions, logger), limitNews(db, book, logger)],
    logger,
  );
  const limit = () => book.of({ farm: 'f', deviceType: 'collar', deviceUid: 'x' }).get('milk_scc')?.[0]?.high;
  const device = () => dimensions.devices.get(deviceKey('f', 'x'));
  const listens = () =>
    eventually('it listens', async () => {
      const { rows } = await db.query(
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'smart-dairy-listen'
           AND datname = current_database() AND query <> ''`,
      );
      return rows.length === 1;
    });
  try {
    await listens();
    await db.query(`INSERT INTO iot.farm (code, name) VALUES ('f', 'f')`);
    await db.query(`INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
      SELECT id, 'x', 'collar', 'x', 'discovered' FROM iot.farm`);
    await eventually('created', () => Promise.resolve(device()?.state === 'discovered'));
    await db.query(`UPDATE iot.device SET state = 'registered', profile = 'p'`);
    await eventually('changed', () => Promise.resolve(device()?.profile === 'p'));

    const record = {
      active: true,
      device_uid: null,
      device_type: null,
      metric: 'milk_scc',
      low: null,
      severity: 'low',
    };
    await db.query(
      `INSERT INTO iot.odoo_threshold SELECT 1, id, $1::jsonb || '{"high": 300000}' FROM iot.farm`,
      [record],
    );
    await eventually('the limit is known', () => Promise.resolve(limit() === 300_000));
    await db.query(`UPDATE iot.odoo_threshold SET record = record || '{"active": false}'`);
    await eventually('the limit is gone', () => Promise.resolve(limit() === undefined));

    await db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'smart-dairy-listen' AND datname = current_database()`,
    );
    await db.query(`UPDATE iot.device SET stall = '7'`);
    await eventually('loaded again', () => Promise.resolve(device()?.stall === '7'));
    await db.query(`UPDATE iot.device SET last_seen = now()`);
    await db.query(`DELETE FROM iot.device`);
    await eventually('gone', () => Promise.resolve(device() === undefined));
    assert.equal(dimensions.devicesById.size, 0);
  } finally {
    await stop();
    await db.end();
    await database.drop();
  }
});
