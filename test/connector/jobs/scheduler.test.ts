// Scheduled jobs on a real database: once over all processes, made up for when missed, remembered with result and duration.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJobs, type JobRun } from '../../../connector/db/jobs.ts';
import { migrate } from '../../../connector/db/migrate.ts';
import { openPool, type Db } from '../../../connector/db/pool.ts';
import { startJobs, type Job } from '../../../connector/jobs/scheduler.ts';
import { createLogger } from '../../../contract/runtime/logger.ts';
import { eventually } from '../../support/connector.ts';
import { createDatabase, type TestDatabase } from '../../support/stack.ts';

const logger = createLogger('test', 'silent');
const everySecond = '* * * * * *';
const newYear = '0 0 0 1 1 *';

describe('scheduled jobs', () => {
  let database: TestDatabase;
  let db: Db;
  before(async () => {
    database = await createDatabase({ plain: true });
    db = openPool(database.url, 2, logger);
    await migrate(db, logger);
  });
  after(async () => {
    await db.end();
    await database.drop();
  });

  const start = (jobs: Job[], runs: [string, JobRun][] = []) =>
    startJobs(jobs, {
      databaseUrl: database.url,
      onRun: (name, run) => runs.push([name, run]),
      logger,
    });
  const jobOf = async (name: string) => (await readJobs(db)).find((job) => job.name === name);

  it('never overlaps, in one process or in two', async () => {
    let inside = 0;
    let most = 0;
    let ran = 0;
    const job: Job = {
      name: 'slow',
      cron: everySecond,
      async run() {
        inside += 1;
        most = Math.max(most, inside);
        await sleep(1_500);
        inside -= 1;
        ran += 1;
      },
    };
    const stops = [start([job]), start([job])];
    await eventually('three runs', () => Promise.resolve(ran >= 3));
    await Promise.all(stops.map((stop) => stop()));
    assert.equal(most, 1);
    assert.equal((await jobOf('slow'))?.lastResult, 'ok');
    assert.ok(((await jobOf('slow'))?.durationMs ?? 0) >= 1_400);
  });

  it('remembers a failure with its reason, and the next success', async () => {
    let fails = true;
    const runs: [string, JobRun][] = [];
    const run = () => (fails ? Promise.reject(new Error('no luck')) : Promise.resolve());
    const stop = start([{ name: 'moody', cron: everySecond, run }], runs);
    await eventually('failed', async () => (await jobOf('moody'))?.lastResult === 'failed');
    assert.equal((await jobOf('moody'))?.lastError, 'no luck');
    assert.equal((await jobOf('moody'))?.lastSuccess, null);
    fails = false;
    await eventually('ok', async () => (await jobOf('moody'))?.lastResult === 'ok');
    assert.equal((await jobOf('moody'))?.lastError, null);
    await stop();
    assert.equal(runs[0]?.[1].error, 'no luck');
    assert.equal(runs.at(-1)?.[1].error, undefined);
  });

  it('makes up for a run that was missed, once', async () => {
    let ran = 0;
    const job: Job = { name: 'yearly', cron: newYear, run: () => Promise.resolve(void (ran += 1)) };
    await start([job])();
    assert.equal(ran, 0, 'a new job waits for its time');
    await db.query(`UPDATE iot.job SET next_due = now() - INTERVAL '1 day' WHERE name = 'yearly'`);
    const stops = [start([job]), start([job])];
    await eventually('made up for', () => Promise.resolve(ran > 0));
    await Promise.all(stops.map((stop) => stop()));
    assert.equal(ran, 1);
    assert.ok(((await jobOf('yearly'))?.nextDue ?? new Date(0)) > new Date());
  });

  it('a run whose process died is no obstacle', async () => {
    await db.query(
      `INSERT INTO iot.job (name, last_started, last_result, next_due) VALUES ('dead', now() - INTERVAL '1 hour', 'running', now())`,
    );
    let ran = 0;
    const stop = start([{ name: 'dead', cron: everySecond, run: () => Promise.resolve(void (ran += 1)) }]);
    await eventually('it runs', () => Promise.resolve(ran > 0));
    await stop();
  });
});
