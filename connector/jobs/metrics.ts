// Prometheus metrics of the scheduled jobs, by job name.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { JobRun } from '../db/jobs.ts';

/** Registers them; the result takes each run. */
export function createJobMetrics(registry: Registry): (name: string, run: JobRun) => void {
  const common = { labelNames: ['job'], registers: [registry] };
  const seconds = new Gauge({ name: 'smart_dairy_job_seconds', help: 'Duration of the last run', ...common });
  const success = new Gauge({
    name: 'smart_dairy_job_last_success_timestamp',
    help: 'End of the last run without an error, seconds since 1970',
    ...common,
  });
  const failures = new Counter({
    name: 'smart_dairy_job_failures_total',
    help: 'Runs that ended with an error',
    ...common,
  });
  return (job, { seconds: duration, error }) => {
    seconds.set({ job }, duration);
    if (error === undefined) success.set({ job }, Date.now() / 1000);
    else failures.inc({ job });
  };
}
