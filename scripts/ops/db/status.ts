// The storage status as text for a terminal.
import type { JobState } from '../../../connector/db/jobs.ts';
import type { StorageStatus } from '../../../connector/db/storage.ts';

const minute = (at: Date | null): string => at?.toISOString().slice(0, 16).replace('T', ' ') ?? '-';

/** Bytes for people, in steps of 1024. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step] ?? 'B'}`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Everything in a few tables; times are UTC. */
export function formatStatus(status: StorageStatus, jobs: readonly JobState[], now: Date): string {
  const { rolledUntil, lateHours } = status;
  const lag =
    rolledUntil === null
      ? 'continuous aggregates'
      : `stored up to ${minute(rolledUntil)} (${Math.round((now.getTime() - rolledUntil.getTime()) / 60_000)} min ago)`;
  const relations = status.relations.map(({ relation, layout, parts, compressed, bytes, oldest, newest }) => [
    `iot.${relation}`,
    layout === 'table' ? layout : `${parts} ${layout}`,
    String(compressed),
    formatBytes(bytes),
    minute(oldest),
    minute(newest),
  ]);
  const policies = status.policies.map((policy) => [
    `iot.${policy.relation}`,
    policy.policy,
    policy.last_status ?? 'not run yet',
    minute(policy.last_success),
    String(policy.failures),
    minute(policy.next_start),
  ]);
  const scheduled = jobs.map((job) => [
    job.name,
    job.lastResult ?? 'not run yet',
    minute(job.lastSuccess),
    job.durationMs === null ? '-' : `${job.durationMs} ms`,
    minute(job.nextDue),
    job.lastError ?? '',
  ]);
  return [
    `edition   ${status.edition}`,
    `kept      raw ${status.rawDays} d, 15 min ${status.fifteenMinuteDays} d, hourly ${status.hourlyDays} d, daily for ever; ` +
      (status.edition === 'community'
        ? `compressed after ${status.compressAfterDays} d`
        : 'no compression on this edition'),
    `rollups   ${lag}; ${lateHours} hour(s) with late data wait`,
    '',
    table([['relation', 'layout', 'compressed', 'size', 'from', 'to'], ...relations]),
    ...(policies.length === 0
      ? []
      : [
          '',
          table([
            ['relation', 'database job', 'last run', 'last success', 'failures', 'next run'],
            ...policies,
          ]),
        ]),
    ...(scheduled.length === 0
      ? []
      : [
          '',
          table([['connector job', 'last run', 'last success', 'took', 'next run', 'error'], ...scheduled]),
        ]),
  ].join('\n');
}
