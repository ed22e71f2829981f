// Scheduled jobs in the database: one lock a job over all connectors, and the table iot.job that remembers how they went.
import { Pool } from 'pg';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Queryable } from './pool.ts';

/** A job as the table has it. */
export interface JobState {
  name: string;
  lastStarted: Date | null;
  lastFinished: Date | null;
  lastSuccess: Date | null;
  lastResult: 'running' | 'ok' | 'failed' | null;
  lastError: string | null;
  durationMs: number | null;
  nextDue: Date;
}

/** All jobs, by name. */
export async function readJobs(db: Queryable): Promise<JobState[]> {
  const { rows } = await db.query<JobState>(`
    SELECT name, last_started AS "lastStarted", last_finished AS "lastFinished", last_success AS "lastSuccess",
           last_result AS "lastResult", last_error AS "lastError", duration_ms AS "durationMs", next_due AS "nextDue"
    FROM iot.job ORDER BY name`);
  return rows;
}

/** How a run went. */
export interface JobRun {
  seconds: number;
  error: string | undefined;
}

/** The jobs' own connection. Locks belong to its session and end with the process. */
export interface JobStore {
  /** Makes a job known that the table does not have yet, due at `nextDue`. */
  register(name: string, nextDue: Date): Promise<void>;
  /** Names of the jobs that were due more than so many seconds ago. */
  late(seconds: number): Promise<ReadonlySet<string>>;
  /**
   * Runs a due job, unless another process runs it, or has run it so that it is not due any more. Undefined when it was
   * not ours to run. `work` returns its error. Throws only when the database fails.
   */
  runDue(name: string, nextDue: Date, work: () => Promise<string | undefined>): Promise<JobRun | undefined>;
  end(): Promise<void>;
}

/** Opens the connection when it is first needed, and again when it was lost. */
export function openJobStore(url: string, logger: Logger): JobStore {
  // Not of the common pool: a job that waits for a second connection while it holds one could wait for ever.
  const pool = new Pool({
    connectionString: url,
    max: 1,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: 5_000,
    application_name: 'smart-dairy-jobs',
    options: '-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3',
  });
  pool.on('error', (error) => logger.warn({ error: error.message }, 'connection of the jobs lost'));
  return {
    async register(name, nextDue) {
      await pool.query('INSERT INTO iot.job (name, next_due) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', [
        name,
        nextDue,
      ]);
    },
    async late(seconds) {
      const { rows } = await pool.query<{ name: string }>(
        'SELECT name FROM iot.job WHERE next_due < now() - make_interval(secs => $1)',
        [seconds],
      );
      return new Set(rows.map(({ name }) => name));
    },
    async runDue(name, nextDue, work) {
      if (!(await begin(pool, name, nextDue))) return undefined;
      const startedAt = performance.now();
      const error = await work();
      const durationMs = Math.round(performance.now() - startedAt);
      await finish(pool, name, durationMs, error);
      return { seconds: durationMs / 1000, error };
    },
    end: () => pool.end(),
  };
}

/** Takes the lock; keeps it only when the job is due. A second of grace: two machines' clocks are never quite the same. */
async function begin(pool: Pool, name: string, nextDue: Date): Promise<boolean> {
  const { rows } = await pool.query<{ locked: boolean }>(
    `SELECT pg_try_advisory_lock(${lockKey}) AS locked`,
    [name],
  );
  if (rows[0]?.locked !== true) return false;
  const { rowCount } = await pool.query(
    `UPDATE iot.job SET last_started = now(), last_result = 'running', next_due = $2
     WHERE name = $1 AND next_due <= now() + INTERVAL '1 second'`,
    [name, nextDue],
  );
  if (rowCount === 0) await unlock(pool, name);
  return rowCount !== 0;
}

async function finish(
  pool: Pool,
  name: string,
  durationMs: number,
  error: string | undefined,
): Promise<void> {
  await pool.query(
    `UPDATE iot.job SET last_finished = now(), duration_ms = $2, last_error = $3::text,
       last_result = CASE WHEN $3::text IS NULL THEN 'ok' ELSE 'failed' END,
       last_success = CASE WHEN $3::text IS NULL THEN now() ELSE last_success END
     WHERE name = $1`,
    [name, durationMs, error ?? null],
  );
  await unlock(pool, name);
}

const lockKey = `hashtext('smart-dairy job'), hashtext($1)`;

async function unlock(pool: Pool, name: string): Promise<void> {
  await pool.query(`SELECT pg_advisory_unlock(${lockKey})`, [name]);
}
