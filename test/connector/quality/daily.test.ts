// The daily quality of a device, on every edition at hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { refreshQuality } from '../../../connector/db/quality.ts';
import { migrate } from '../../../connector/db/migrate.ts';
import { openPool } from '../../../connector/db/pool.ts';
import { createDatabase } from '../../support/stack.ts';

const logger = pino({ level: 'silent' });

for (const plain of [false, true]) {
  test(`counts, gaps and score (${plain ? 'plain' : 'TimescaleDB where there is'})`, async () => {
    const database = await createDatabase({ plain });
    const db = openPool(database.url, 2, logger);
    try {
      await migrate(db, logger, plain ? 'plain' : 'auto');
      await db.query(`INSERT INTO iot.farm (code, name) VALUES ('f', 'f');
        INSERT INTO iot.metric (name, unit, kind, description) VALUES ('temperature', 'Cel', 'gauge', '');
        INSERT INTO iot.device (farm_id, device_uid, device_type, name, state) VALUES (1, 'd', 'temperature', 'd', 'discovered');
        SELECT iot.prepare_days(ARRAY[(now() AT TIME ZONE 'UTC')::date - 1]);
        -- Yesterday, a value a minute for 21 hours with a hole of 3 hours in the middle; two bad ones.
        INSERT INTO iot.reading (time, device_id, metric_id, value, quality)
        SELECT ((now() AT TIME ZONE 'UTC')::date - 1)::timestamp AT TIME ZONE 'UTC' + make_interval(mins => m), 1, 1, 4,
          CASE m WHEN 5 THEN 1 WHEN 6 THEN 4 ELSE 0 END
        FROM generate_series(0, 1439) m WHERE m NOT BETWEEN 600 AND 778`);
      assert.equal(await refreshQuality(db, 2), 1);
      assert.equal(await refreshQuality(db, 2), 1, 'again gives the same');
      const { rows } = await db.query(
        'SELECT readings, good, out_of_range, rate_of_change, stuck, other, gap_seconds, score FROM iot.device_quality',
      );
      const score = Math.round(((1000 * 1259) / 1261) * (1 - 10_800 / 86_400)) / 10;
      assert.deepEqual(rows, [
        {
          readings: 1261,
          good: 1259,
          out_of_range: 1,
          rate_of_change: 1,
          stuck: 0,
          other: 0,
          gap_seconds: 10_800,
          score,
        },
      ]);
    } finally {
      await db.end();
      await database.drop();
    }
  });
}
