// The alert that Odoo refuses our key or rights. It reaches Odoo itself once that is mended, and stands in the database meanwhile.
import type { AlertRecord } from '../contract/records.ts';
import { putAlerts } from './db/alerts.ts';
import { farmCodes } from './db/dimensions.ts';
import { inTransaction, type Db } from './db/pool.ts';

/** Raises (`detail`) or resolves (`undefined`) the alert on every farm. */
export async function setIntegrationAlert(db: Db, detail: string | undefined): Promise<void> {
  const now = new Date().toISOString();
  await inTransaction(db, async (client) => {
    const farms = await farmCodes(client);
    await putAlerts(
      client,
      farms.map(({ id, code }) => ({
        key: `${code}/integration/odoo`,
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
    alert_type: 'integration',
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
