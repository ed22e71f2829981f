// Scheduled work. Over all connectors of a database a job runs once at a time; a run that was missed is made up for.
import { schedule, type ScheduledTask } from 'node-cron';
import { bounded } from '../../contract/runtime/boundary.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { openJobStore, type JobRun } from '../db/jobs.ts';

/** A job. `cron` has six fields, seconds first. */
export interface Job {
  name: string;
  cron: string;
  run: () => Promise<void>;
  /** Of several connectors each runs it, whenever it likes; else one of them does. */
  onEveryMember?: true;
}

/** What the scheduler works with. */
export interface JobContext {
  /** The database's address: locks need a connection of their own. */
  databaseUrl: string;
  /** Hears how each run went. */
  onRun: (name: string, run: JobRun) => void;
  logger: Logger;
}

/** Missed runs are looked for at the start and then every minute: the database may have been away when a run was due. */
const lateEveryMs = 60_000;
/** A run is missed when it is this late: younger ones are about to start by themselves. */
const lateSeconds = 5;

/** Starts the jobs; the result stops them and waits for those that run. */
export function startJobs(jobs: readonly Job[], context: JobContext): () => Promise<void> {
  const { logger } = context;
  const store = openJobStore(context.databaseUrl, logger);
  const running = new Map<string, Promise<void>>();

  function start({ name, run, onEveryMember }: Job, nextDue: Date): void {
    if (running.has(name)) return;
    const attempt = async (): Promise<string | undefined> => {
      try {
        await run();
        return undefined;
      } catch (error) {
        logger.warn({ job: name, error: messageOf(error) }, 'job failed');
        return messageOf(error);
      }
    };
    const whole = onEveryMember === true ? timed(attempt) : store.runDue(name, nextDue, attempt);
    const watched = whole
      .then((done) => done !== undefined && context.onRun(name, done))
      .catch((error: unknown) => {
        // The database is away: the run stays due, and is made up for.
        logger.warn({ job: name, error: messageOf(error) }, 'job not run, the database does not answer');
      })
      .then(() => void running.delete(name));
    running.set(name, watched);
  }

  const tasks = new Map<Job, ScheduledTask>();
  for (const job of jobs) {
    const task: ScheduledTask = schedule(
      job.cron,
      bounded(logger, `job ${job.name}`, () => start(job, nextOf(task))),
    );
    tasks.set(job, task);
  }

  async function makeUp(): Promise<void> {
    try {
      for (const [job, task] of tasks)
        if (job.onEveryMember !== true) await store.register(job.name, nextOf(task));
      const late = await store.late(lateSeconds);
      for (const [job, task] of tasks) {
        if (!late.has(job.name) || running.has(job.name)) continue;
        logger.info({ job: job.name }, 'a run was missed: now it is made up for');
        start(job, nextOf(task));
      }
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'cannot look for missed jobs');
    }
  }

  let looking = makeUp();
  const lookAgain = () => {
    looking = looking.then(makeUp);
  };
  const timer = setInterval(bounded(logger, 'look for missed jobs', lookAgain), lateEveryMs);
  return async () => {
    clearInterval(timer);
    // A task that is stopped has no next run to be looked for.
    await looking;
    for (const task of tasks.values()) await task.stop();
    await Promise.all(running.values());
    await store.end();
  };
}

/** When a task runs next. */
function nextOf(task: ScheduledTask): Date {
  const next = task.getNextRun();
  if (next === null) throw new Error('a task without a next run: was it stopped?');
  return next;
}

async function timed(work: () => Promise<string | undefined>): Promise<JobRun> {
  const startedAt = performance.now();
  const error = await work();
  return { seconds: (performance.now() - startedAt) / 1000, error };
}
