// How Odoo calls the connector: the shared secret on both sides, and the address in Odoo's system parameters.
import { createHmac } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { adminUrl, withClient } from './database.ts';
import type { EnvValues, Instance, Settings } from './types.ts';

/** Made from a secret of this installation, so that those from before it have one too. */
const derived = ({ secrets }: Settings, purpose: string): string =>
  createHmac('sha256', secrets.connectorToken).update(purpose).digest('base64url');

/** What the connector has to know of it. */
export const odooLinkEnv = (settings: Settings): EnvValues => ({
  CONNECTOR_ODOO_SECRET: derived(settings, 'odoo calls'),
  CONNECTOR_HOOK_TOKEN: derived(settings, 'odoo hook'),
});

/** A key made anew by bootstrap.py counts from now on, not the one that the connector fetched before. */
export function forgetRenewedKey(instance: Instance): void {
  for (const folder of [instance.dir, join(instance.dir, 'programs/connector')])
    rmSync(join(folder, 'odoo-api-key'), { force: true });
}

/**
 * Tells Odoo's database where the connector is and the secret, and wakes the ready-made automation rules. Before its server
 * starts: it would not notice later.
 */
export async function writeOdooLink(
  settings: Settings,
  database: string,
  connectorUrl: string,
): Promise<void> {
  const hook = `${connectorUrl}/api/v1/odoo/hook/${derived(settings, 'odoo hook')}`;
  const parameters = {
    'smart_dairy.connector_url': connectorUrl,
    'smart_dairy.connector_hook': hook,
    'smart_dairy.connector_secret': derived(settings, 'odoo calls'),
  };
  await withClient(adminUrl(settings, database), async (query) => {
    await query(
      `insert into ir_config_parameter (key, value, create_uid, write_uid, create_date, write_date)
       select key, value, 1, 1, now() at time zone 'utc', now() at time zone 'utc'
       from unnest($1::text[], $2::text[]) as p (key, value)
       on conflict (key) do update set value = excluded.value, write_date = excluded.write_date`,
      [Object.keys(parameters), Object.values(parameters)],
    );
    // As the addon does it when a person sets the parameter.
    await query(
      `update ir_act_server a set webhook_url = $1 from ir_model_data d
       where d.module = 'smart_dairy_iot_automation' and d.model = 'ir.actions.server' and d.res_id = a.id
         and a.state = 'webhook'`,
      [hook],
    );
    await query(
      `update base_automation r set active = true from ir_model_data d
       where d.module = 'smart_dairy_iot_automation' and d.model = 'base.automation' and d.res_id = r.id`,
    );
  });
}
