// A registered device whose clock is so wrong that the moment of arrival counts for what it says becomes one alert.
import { clearedAlert, newAlert } from './record.ts';
import { putAlerts, type AlertChange } from '../db/alerts.ts';
import { clocksDue, clocksOver, type ClockLimits, type DueClock } from '../db/clocks.ts';
import { inTransaction, type Db } from '../db/pool.ts';
import type { Job } from '../jobs/scheduler.ts';

const alertType = 'clock_off';

/** Raises and clears, from what is in the database: a restart forgets nothing. */
export function clockJob(db: Db, limits: ClockLimits): Job {
  return {
    name: 'clocks of devices',
    cron: '*/10 * * * * *',
    async run() {
      await inTransaction(db, async (client) => {
        const raised = (await clocksDue(client, limits)).map(toAlert);
        const clearedAt = new Date().toISOString();
        const cleared = (await clocksOver(client, alertType)).map(({ record, ...rest }): AlertChange => ({
          ...rest,
          milkSessionId: null,
          record: clearedAlert(record, clearedAt),
        }));
        await putAlerts(client, [...raised, ...cleared]);
      });
    },
  };
}

function toAlert({
  key,
  farmId,
  deviceId,
  farm,
  device_uid,
  seconds,
  isProven,
  since,
}: DueClock): AlertChange {
  const direction = seconds < 0 ? 'ahead' : 'behind';
  const effect = isProven
    ? 'it answered a command before it was asked. What it says is stored as so much older than it is'
    : 'what it says counts at its arrival, marked';
  const record = newAlert({
    farm,
    device_uid,
    alert_type: alertType,
    severity: 'medium',
    message: `The clock of ${device_uid} is ${inWords(Math.abs(seconds))} ${direction}: ${effect}. Set its clock.`,
    trigger_value: seconds,
    unit: 's',
    parameters: { effect: isProven ? 'stored_older' : 'arrival_counts' },
    raised_at: since.toISOString(),
  });
  return { key, farmId, deviceId, milkSessionId: null, record };
}

function inWords(seconds: number): string {
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} hours`;
  const days = Math.round(seconds / 86_400);
  return days > 36_500 ? 'more than a century' : `${days} days`;
}
