// The alerts of milkings that are published: raised, changed, resolved.
import { isDeepStrictEqual } from 'node:util';
import { isMarked } from '../../contract/records.ts';
import { clearedAlert, newAlert } from '../alerts/record.ts';
import { alertsOfMilkings, putAlerts, type AlertChange } from '../db/alerts.ts';
import type { Publication } from '../db/milking-records.ts';
import type { PoolClient } from '../db/pool.ts';
import { milkAlerts } from '../rules/milking.ts';
import type { Limits } from '../rules/limits.ts';
import type { AlertFate } from './quota.ts';

/** A publication with what its alerts need. */
export type LimitedPublication = Publication & {
  milking: { farmId: number; deviceId: number };
  limits: Limits;
  mostYieldKg: number;
};

/** Decides about a new alert of a device. */
export type AlertQuota = (deviceId: number, key: string) => AlertFate;

/** Raises the alerts that the records call for, changes those that read differently now, resolves those that no longer hold. */
export async function publishAlerts(
  client: PoolClient,
  publications: readonly LimitedPublication[],
  quota: AlertQuota = () => 'raised',
): Promise<void> {
  const wanted = publications.map((publication) => ({
    publication,
    alerts: isMarked(publication.record, 'void')
      ? []
      : milkAlerts(publication.record, publication.limits, publication.mostYieldKg),
  }));
  const again = publications.filter(({ revision }) => revision > 1);
  if (again.length === 0 && wanted.every(({ alerts }) => alerts.length === 0)) return;
  const stored = new Map(
    (
      await alertsOfMilkings(
        client,
        publications.map(({ id }) => id),
      )
    ).map((row) => [row.alert_key, row]),
  );
  const changes: AlertChange[] = [];
  for (const { publication, alerts } of wanted) {
    const { id, sourceId, record, milking } = publication;
    const base = { farmId: milking.farmId, deviceId: milking.deviceId, milkSessionId: id };
    for (const alert of alerts) {
      const key = `${sourceId}/${alert.alert_type}`;
      const before = stored.get(key)?.record;
      const fate = before === undefined ? quota(milking.deviceId, key) : 'raised';
      const isLast = fate === 'last';
      const next = newAlert({
        ...alert,
        message: isLast ? alert.message + lastOne : alert.message,
        parameters: isLast ? { ...alert.parameters, quota: 'last' } : alert.parameters,
        farm: record.farm,
        device_uid: record.device_uid,
        rfid: record.rfid,
        milk_session: sourceId,
        raised_at: before?.raised_at ?? record.ended_at,
      });
      stored.delete(key);
      if (fate !== 'dropped' && !isDeepStrictEqual(before, next))
        changes.push({ ...base, key, record: next });
    }
    for (const [key, row] of stored) {
      if (row.milk_session_id !== id || row.record.state === 'resolved') continue;
      changes.push({ ...base, key, record: clearedAlert(row.record, record.ended_at) });
    }
  }
  await putAlerts(client, changes);
}

const lastOne =
  ' This device has raised as many alerts as it may in an hour (intake.max_alerts_per_hour): no more are told until the next one.';
