// `npm run db -- status` as text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatStatus } from '../../../../scripts/ops/db/status.ts';

test('bytes for people', () => {
  assert.deepEqual([0, 1, 1023, 1024, 1_572_864, 3 * 1024 ** 4, 1024 ** 5].map(formatBytes), [
    '0 B',
    '1 B',
    '1023 B',
    '1.0 kB',
    '1.5 MB',
    '3.0 TB',
    '1024.0 TB',
  ]);
});

test('columns line up, and what has no value says so', () => {
  const now = new Date('2026-03-01T12:00:00Z');
  const text = formatStatus(
    {
      edition: 'plain',
      rollups: 'own',
      rawDays: 90,
      fifteenMinuteDays: 180,
      hourlyDays: 365,
      compressAfterDays: 7,
      rolledUntil: new Date('2026-03-01T11:30:00Z'),
      lateHours: 2,
      relations: [
        {
          relation: 'reading',
          layout: 'partitions',
          parts: 3,
          compressed: 0,
          bytes: 2_048,
          oldest: new Date('2026-02-27T00:00:00Z'),
          newest: null,
        },
      ],
      policies: [],
    },
    [
      {
        name: 'drop old data',
        lastStarted: now,
        lastFinished: now,
        lastSuccess: new Date('2026-03-01T10:34:20Z'),
        lastResult: 'failed',
        lastError: 'lock timeout',
        durationMs: 3_004,
        nextDue: new Date('2026-03-01T12:34:20Z'),
      },
    ],
    now,
  );
  assert.equal(
    text,
    `edition   plain
kept      raw 90 d, 15 min 180 d, hourly 365 d, daily for ever; no compression on this edition
rollups   stored up to 2026-03-01 11:30 (30 min ago); 2 hour(s) with late data wait

relation     layout        compressed  size    from              to
iot.reading  3 partitions  0           2.0 kB  2026-02-27 00:00  -

connector job  last run  last success      took     next run          error
drop old data  failed    2026-03-01 10:34  3004 ms  2026-03-01 12:34  lock timeout`,
  );
});

test('the Community edition tells its own jobs, and a job that has not run', () => {
  const text = formatStatus(
    {
      edition: 'community',
      rollups: 'continuous',
      rawDays: 90,
      fifteenMinuteDays: 180,
      hourlyDays: 365,
      compressAfterDays: 7,
      rolledUntil: null,
      lateHours: 0,
      relations: [],
      policies: [
        {
          relation: 'reading',
          policy: 'policy_compression',
          last_success: null,
          last_status: null,
          failures: 0,
          next_start: new Date('2026-03-01T13:00:00Z'),
        },
      ],
    },
    [],
    new Date('2026-03-01T12:00:00Z'),
  );
  assert.match(text, /compressed after 7 d/);
  assert.match(text, /^rollups +continuous aggregates; 0 hour/m);
  assert.match(text, /^iot\.reading +policy_compression +not run yet +- +0 +2026-03-01 13:00$/m);
  assert.doesNotMatch(text, /connector job/);
});
