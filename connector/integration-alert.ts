// The alert that Odoo refuses our key or rights. It reaches Odoo itself once that is mended, and stands in the database meanwhile.
import type { AlertRecord } from '../contract/records.ts';
import { openAlertKeys, putAlerts } from './db/alerts.ts';
import { farmCodes } from './db/dimensions.ts';
import { inTransaction, type Db } from './db/pool.ts';

const alertType = 'integration';

/** Raises (`detail`) the alert on every farm, or resolves (`undefined`) it where it stands open. */
export async function setIntegrationAlert(db: Db, detail: string | undefined): Promise<void> {
  const now = new Date().toISOString();
  await inTransaction(db, async (client) => {
    const open = await openAlertKeys(client, alertType);
    const farms = (await farmCodes(client)).map((farm) => ({
      ...farm,
      key: `${farm.code}/integration/odoo`,
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
          record: integrationAlert(code, detail, now),
        })),
    );
  });
}

function integrationAlert(farm: string, detail: string | undefined, now: string): AlertRecord {
  return {
    farm,
    device_uid: null,
    rfid: null,
    milk_session: null,
    alert_type: alertType,
    severity: 'high',
    state: detail === undefined ? 'resolved' : 'new',
    message: detail ?? 'Odoo takes records again',
    trigger_value: null,
    threshold_value: null,
    unit: null,
    raised_at: now,
    cleared_at: detail === undefined ? now : null,
  };
}
