// Alerts about the connection to Odoo: it refuses our key or rights, or the key ends soon. They stand in the database meanwhile.
import type { AlertRecord } from '../../contract/records.ts';
import { openAlertKeys, putAlerts } from '../db/alerts.ts';
import { farmCodes } from '../db/dimensions.ts';
import { inTransaction, type Db } from '../db/pool.ts';
import { clearedAlert, newAlert } from './record.ts';

const alertType = 'integration';

const over = { odoo: 'Odoo takes records again', 'api-key': 'The API key for Odoo was renewed' };

/** Raises (`detail`) the alert on every farm, or resolves (`undefined`) it where it stands open. */
export async function setIntegrationAlert(
  db: Db,
  detail: string | undefined,
  subject: keyof typeof over = 'odoo',
): Promise<void> {
  const now = new Date().toISOString();
  await inTransaction(db, async (client) => {
    const open = await openAlertKeys(client, alertType);
    const farms = (await farmCodes(client)).map((farm) => ({
      ...farm,
      key: `${farm.code}/integration/${subject}`,
    }));
    await putAlerts(
      client,
      farms
        .filter(({ key }) => open.has(key) === (detail === undefined))
        .map(({ id, code, key }) => ({
          key,
          farmId: id,
          deviceId: null,
          milkSessionId: null,
          record: integrationAlert(code, subject, detail, now),
        })),
    );
  });
}

function integrationAlert(
  farm: string,
  subject: keyof typeof over,
  detail: string | undefined,
  now: string,
): AlertRecord {
  const alert = newAlert({
    farm,
    alert_type: alertType,
    severity: 'high',
    message: detail ?? over[subject],
    raised_at: now,
    parameters: { subject, ...(detail === undefined ? { over: 'yes' } : { reason: detail }) },
  });
  return detail === undefined ? clearedAlert(alert, now) : alert;
}
