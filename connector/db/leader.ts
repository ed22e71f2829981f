// Leadership among connectors: a PostgreSQL advisory lock on a connection of its own, and an epoch that fences batches.
//
// The lock decides who leads; its end is noticed on both sides within seconds (heartbeat here, keepalive and idle timeout
// on the server). The epoch covers the rest: a new leader raises it, which waits for batches that are under way, and a
// batch of an ousted leader finds another epoch and cannot commit.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeLiteral } from 'pg';
import { AppError, messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Opening } from './pool.ts';

/** What to contend for. */
export interface LeadershipOptions {
  url: string;
  /** Connectors with the same name: one of them leads. */
  name: string;
  /** Who this is, for people: host and process. */
  holder: string;
}

/** What happens to a leader. Until the lock is first held, nothing is called. */
export interface LeadershipHooks {
  onLead(): void;
  /** The lock's connection is gone; somebody else may lead from now on. Stop at once. */
  onLost(detail: string): void;
  /** Somebody else led meanwhile: what this process has in memory is out of date. */
  onOusted(detail: string): void;
}

/** A contender. */
export interface Leadership {
  leads(): boolean;
  /** Who leads, in words. */
  detail(): string;
  /** Proves when a transaction begins that this process still leads, and that nobody takes over before it ends. */
  fence: Opening;
  /** Gives the lock back. */
  stop(): Promise<void>;
}

const pollMs = 500;
const heartbeatMs = 1_000;
const answerMs = 4_000;
/** A server that hears nothing for so long frees the lock: a dead machine by keepalive, a frozen process by its missing heartbeat. */
const silenceMs = 6_000;
const sessionOptions = `-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 -c idle_session_timeout=${silenceMs}`;

/** Starts to contend; goes on until stop(). The schema has to be there. */
export function contend(options: LeadershipOptions, hooks: LeadershipHooks, logger: Logger): Leadership {
  const abort = new AbortController();
  const stopped = () => abort.signal.aborted;
  let epoch: number | undefined;
  let leads = false;
  let detail = 'not asked yet';
  let troubled = false;

  async function run(): Promise<void> {
    while (!stopped()) {
      try {
        await session();
      } catch (error) {
        if (!stopped()) trouble(messageOf(error));
      }
      if (leads && !stopped()) hooks.onLost(detail);
      leads = false;
      await pause(pollMs, abort.signal);
    }
  }

  function trouble(message: string): void {
    detail = `no connection for the leader's lock: ${message}`;
    if (!troubled) logger.warn({ name: options.name, error: message }, 'leadership: database trouble');
    troubled = true;
  }

  /** One connection: waits for the lock, then holds it until the connection fails. */
  async function session(): Promise<void> {
    const client = new Client({
      connectionString: options.url,
      application_name: 'smart-dairy-leader',
      keepAlive: true,
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
      options: sessionOptions,
    });
    const broken = new AbortController();
    client.on('error', () => broken.abort());
    client.on('end', () => broken.abort());
    const either = AbortSignal.any([abort.signal, broken.signal]);
    try {
      await client.connect();
      while (!(await tryLock(client, options.name))) {
        await notLeading(client);
        await pause(pollMs, either);
        if (either.aborted) return;
      }
      if (!(await claim(client))) return;
      while (!either.aborted) {
        await pause(heartbeatMs, either);
        if (!broken.signal.aborted) await client.query('SELECT 1');
      }
      detail = 'the connection that holds the lock was lost';
    } finally {
      // Closing gives the lock back. A connection that does not answer is torn down by pg itself.
      await client.end().catch(() => undefined);
    }
  }

  /** Another one holds the lock. When this process led before, its time is over as soon as the epoch has moved on. */
  async function notLeading(client: Client): Promise<void> {
    const current = await readLeader(client, options.name);
    if (epoch !== undefined && current !== undefined && current.epoch !== epoch) ousted(current.holder);
    const holder = current === undefined ? 'another connector' : current.holder;
    const standby = `standby: ${holder} leads; this one waits for the lock '${options.name}'`;
    if (detail !== standby) logger.info({ holder, name: options.name }, 'standby: another connector leads');
    detail = standby;
    troubled = false;
  }

  /** With the lock in hand: a first or a new term, or the old one when nobody led in between. */
  async function claim(client: Client): Promise<boolean> {
    const current = epoch === undefined ? undefined : await readLeader(client, options.name);
    if (epoch !== undefined && current?.epoch !== epoch) {
      ousted(current?.holder ?? 'another connector');
      return false;
    }
    epoch ??= await raiseEpoch(client, options, logger);
    if (stopped()) return false;
    leads = true;
    troubled = false;
    detail = `leads since term ${epoch}`;
    logger.info({ name: options.name, epoch }, 'this connector leads');
    hooks.onLead();
    return true;
  }

  function ousted(holder: string): void {
    abort.abort();
    hooks.onOusted(`${holder} took over`);
  }

  const running = run();
  return {
    leads: () => leads,
    detail: () => detail,
    fence: {
      // A frozen transaction must not hold up the next leader for ever.
      sql: () =>
        `SELECT set_config('idle_in_transaction_session_timeout', '${silenceMs}', true)
         FROM iot.connector_leader WHERE name = ${escapeLiteral(options.name)} AND epoch = ${epoch ?? -1} FOR SHARE`,
      check(rowCount) {
        if (rowCount === 0)
          throw new AppError('denied', 'another connector leads now: this batch is not ours to write');
      },
    },
    async stop() {
      abort.abort();
      await running;
    },
  };
}

async function tryLock(client: Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    `SELECT pg_try_advisory_lock(hashtext('smart-dairy leader'), hashtext($1)) AS locked`,
    [name],
  );
  return rows[0]?.locked === true;
}

async function readLeader(
  client: Client,
  name: string,
): Promise<{ epoch: number; holder: string } | undefined> {
  const { rows } = await client.query<{ epoch: number; holder: string }>(
    'SELECT epoch, holder FROM iot.connector_leader WHERE name = $1',
    [name],
  );
  return rows[0];
}

/**
 * Begins a term. Waits for transactions that proved the last one, `silenceMs` at most: then it ends them. The server itself ends an
 * idle transaction of a frozen process, but not one that waits for its client in the middle of a COPY.
 */
async function raiseEpoch(client: Client, options: LeadershipOptions, logger: Logger): Promise<number> {
  const backend = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const raised = new AbortController();
  void sleep(silenceMs, undefined, { signal: raised.signal })
    .then(() => endBlockers(options.url, backend.rows[0]?.pid ?? 0))
    .then((ended) =>
      logger.warn({ ended }, 'transactions of the leader before were ended: its process is frozen'),
    )
    .catch((error: unknown) => {
      if (!raised.signal.aborted)
        logger.warn({ error: messageOf(error) }, 'the leader before blocks this one');
    });
  try {
    const statement = {
      text: `INSERT INTO iot.connector_leader AS l (name, epoch, holder) VALUES ($1, 1, $2)
       ON CONFLICT (name) DO UPDATE SET epoch = l.epoch + 1, holder = excluded.holder, since = now() RETURNING epoch`,
      values: [options.name, options.holder],
      // pg knows it for a single statement too; its types do not.
      query_timeout: 2 * silenceMs,
    };
    const { rows } = await client.query<{ epoch: number }>(statement);
    const epoch = rows[0]?.epoch;
    if (epoch === undefined) throw new AppError('bug', 'no epoch was returned');
    return epoch;
  } finally {
    raised.abort();
  }
}

/** Ends the sessions for whose locks `pid` waits; how many. */
async function endBlockers(url: string, pid: number): Promise<number> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: answerMs,
    query_timeout: answerMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query(
      'SELECT pg_terminate_backend(blocker) FROM unnest(pg_blocking_pids($1)) AS blocker',
      [pid],
    );
    return rowCount ?? 0;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Sleeps, but not past the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
