// Lost gateways and silent devices become alerts: one for a gateway, whatever number of devices is behind it.
import { putAlerts, type AlertChange } from '../db/alerts.ts';
import { inTransaction, type Db } from '../db/pool.ts';
import { presenceDue, presenceOver, type DuePresence } from '../db/presence.ts';
import type { Job } from '../jobs/scheduler.ts';
import { newAlert, clearedAlert } from './record.ts';

/** How long somebody may be away before it is worth an alert. */
export interface PresenceLimits {
  gateway: number;
  device: number;
}

const alertTypes = ['gateway_lost', 'device_offline'] as const;

/** Raises and clears, from what is in the database: a restart forgets nothing. */
export function presenceJob(db: Db, limits: PresenceLimits): Job {
  return {
    name: 'lost gateways and devices',
    cron: '*/5 * * * * *',
    async run() {
      await inTransaction(db, async (client) => {
        const raised = (await presenceDue(client, limits)).map(toAlert);
        const cleared = (await presenceOver(client, alertTypes)).map(
          ({ clearedAt, record, ...rest }): AlertChange => ({
            ...rest,
            milkSessionId: null,
            record: clearedAlert(record, clearedAt.toISOString()),
          }),
        );
        await putAlerts(client, [...raised, ...cleared]);
      });
    },
  };
}

function toAlert(due: DuePresence): AlertChange {
  const isGateway = due.alert_type === 'gateway_lost';
  const reason = due.detail === null ? '' : `: ${due.detail}`;
  const message = isGateway
    ? `Gateway ${due.device_uid} is lost${reason}. Devices behind it that cannot be reached: ${due.behind}`
    : `Device ${due.device_uid} is offline${reason}`;
  const record = newAlert({
    farm: due.farm,
    device_uid: due.device_uid,
    alert_type: due.alert_type,
    severity: isGateway ? 'high' : 'medium',
    message,
    raised_at: due.since.toISOString(),
    ...(isGateway ? { trigger_value: due.behind, unit: 'devices' } : {}),
    parameters: due.detail === null ? undefined : { reason: due.detail },
  });
  return { key: due.alert_key, farmId: due.farm_id, deviceId: due.device_id, milkSessionId: null, record };
}
