// Scheduled work: silent milkings, device presence, old rows. One table of jobs, no overlap.
import { schedule } from 'node-cron';
import { messageOf } from '../contract/errors.ts';
import type { Logger } from '../contract/runtime/logger.ts';

/** A job. `cron` has six fields, seconds first. */
export interface Job {
  name: string;
  cron: string;
  run: () => Promise<void>;
  /** Of several connectors each runs it; else only one of them does. */
  onEveryMember?: true;
}

/** Starts the jobs; the result stops them and waits for those that run. */
export function startJobs(jobs: readonly Job[], logger: Logger): () => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const tasks = jobs.map((job) =>
    schedule(job.cron, () => {
      if (running.has(job.name)) return;
      const run = job
        .run()
        // The database may be away: the job comes again.
        .catch((error: unknown) => logger.warn({ job: job.name, error: messageOf(error) }, 'job failed'))
        .finally(() => running.delete(job.name));
      running.set(job.name, run);
    }),
  );
  return async () => {
    for (const task of tasks) await task.stop();
    await Promise.all(running.values());
  };
}
