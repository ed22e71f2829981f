// The archive on every edition: a day goes into a file and out of the database, and comes back as it was.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { archiveOldDays, restoreDay, type ArchiveManifest } from '../../connector/jobs/archive.ts';
import { setArchiving } from '../../connector/db/archive.ts';
import { applyRetention, setStorage } from '../../connector/db/storage.ts';
import { dayMs, onEachEdition, rollUp, runPolicies, write } from './fixture.ts';

const short = { rawDays: 7, fifteenMinuteDays: 14, hourlyDays: 21, compressAfterDays: 2 };
const perDay = 1_000;

onEachEdition('archive', (opened) => {
  const folder = mkdtempSync(join(tmpdir(), 'smart-dairy-archive-'));
  after(() => rmSync(folder, { recursive: true }));
  const today = Math.floor(Date.now() / dayMs) * dayMs;
  const dayOf = (age: number) => new Date(today - age * dayMs).toISOString().slice(0, 10);
  const facts = async (day: string) => {
    const { rows } = await opened().db.query<{ n: number; sum: number | null; digest: string | null }>(
      `SELECT count(*) AS n, sum(value) AS sum, md5(string_agg(r::text, ',' ORDER BY device_id, metric_id, time)) AS digest
       FROM iot.reading r WHERE (time AT TIME ZONE 'UTC')::date = $1`,
      [day],
    );
    return rows[0];
  };
  const retain = async () => {
    await runPolicies(opened().db, 'policy_retention');
    const manifests = await archiveOldDays(opened().db, folder);
    await applyRetention(opened().db);
    return manifests;
  };

  test('a day past its retention is a file, and no longer in the database', async () => {
    const { db } = opened();
    await db.query(`INSERT INTO iot.farm (code, name) VALUES ('f1', 'f1')`);
    await db.query(`INSERT INTO iot.device (farm_id, device_uid, device_type, name, state)
      VALUES (1, 'a', 'temperature', 'a', 'registered'), (1, 'b', 'temperature', 'b', 'registered')`);
    await db.query(
      `INSERT INTO iot.metric (name, unit, kind, description) VALUES ('temperature', 'Cel', 'gauge', '')`,
    );
    const rows = [20, 12, 3].flatMap((age) =>
      Array.from({ length: perDay }, (_, index) => ({
        deviceId: (index % 2) + 1,
        metricId: 1,
        time: today - age * dayMs + index * 60_000 + 7,
        value: index / 3,
        quality: index % 10 === 0 ? 1 : 0,
      })),
    );
    await write(db, rows);
    await rollUp(db);
    await setStorage(db, short);
    await setArchiving(db, true);
    const before = await facts(dayOf(20));
    const manifests = await retain();
    assert.deepEqual(
      manifests.map(({ day, rows: n }) => [day, n]),
      [
        [dayOf(20), perDay],
        [dayOf(12), perDay],
      ],
    );
    assert.equal((await facts(dayOf(20)))?.n, 0);
    assert.equal((await facts(dayOf(3)))?.n, perDay);
    const [first] = manifests;
    const packed = readFileSync(join(folder, first?.file ?? ''));
    assert.equal(createHash('sha256').update(packed).digest('hex'), first?.sha256);
    assert.ok(Math.abs((first?.sum ?? 0) - (before?.sum ?? 0)) < 1e-6);
    const [header, line] = gunzipSync(packed).toString().split('\n');
    assert.equal(header, 'time,farm,device_uid,metric,value,quality');
    assert.equal(line, `${dayOf(20)}T00:00:00.007000Z,f1,a,temperature,0,1`);
    const onDisk = JSON.parse(
      readFileSync(join(folder, `reading-${dayOf(20)}.json`), 'utf8'),
    ) as ArchiveManifest;
    assert.deepEqual(onDisk, first);

    assert.equal(await restoreDay(db, folder, dayOf(20), 7), perDay);
    assert.deepEqual(await facts(dayOf(20)), before);
    assert.equal(await restoreDay(db, folder, dayOf(20), 7), 0, 'twice is once');
  });

  test('a day that was brought back stays as long as it was asked for', async () => {
    const { db } = opened();
    assert.deepEqual(await retain(), []);
    assert.equal((await facts(dayOf(20)))?.n, perDay);
    await db.query(`UPDATE iot.archived_day SET keep_until = now() - INTERVAL '1 second'`);
    assert.deepEqual(
      (await retain()).map(({ file }) => file),
      [`reading-${dayOf(20)}.2.csv.gz`],
    );
    assert.equal((await facts(dayOf(20)))?.n, 0);
  });

  test('a file that is not what its manifest says is refused', async () => {
    const { db } = opened();
    writeFileSync(join(folder, `reading-${dayOf(12)}.csv.gz`), 'damaged');
    await assert.rejects(restoreDay(db, folder, dayOf(12), 7), /is damaged/);
    await assert.rejects(restoreDay(db, folder, '2001-01-01', 7), /has no archive of 2001-01-01/);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.part')),
      [],
    );
  });

  test('without an archive old readings are dropped as before', async () => {
    const { db } = opened();
    await write(db, [{ deviceId: 1, metricId: 1, time: today - 15 * dayMs, value: 1, quality: 0 }]);
    await rollUp(db);
    await setArchiving(db, false);
    await runPolicies(db, 'policy_retention');
    await applyRetention(db);
    assert.equal((await facts(dayOf(15)))?.n, 0);
  });
});
