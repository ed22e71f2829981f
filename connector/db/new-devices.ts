// How much of the register traffic has made lately: what the quotas of intake count.
import type { Queryable } from './pool.ts';

/** What is known of farms, by code, and how much is new. */
export interface RegisterState {
  /** Those of the asked farms that exist. */
  farms: ReadonlySet<string>;
  /** Farms that traffic made within a day. */
  newFarms: number;
  /** Devices that became known within an hour, by farm; of those asked for. */
  newDevices: ReadonlyMap<string, number>;
}

/** Asked only when a batch speaks of devices that nobody knows. */
export async function registerState(client: Queryable, codes: readonly string[]): Promise<RegisterState> {
  const { rows } = await client.query<{ code: string; devices: number }>(
    `SELECT f.code, (SELECT count(*) FROM iot.device d WHERE d.farm_id = f.id AND d.state <> 'registered'
       AND d.created_at > now() - INTERVAL '1 hour')::int AS devices
     FROM iot.farm f WHERE f.code = ANY ($1)`,
    [codes],
  );
  const made = await client.query<{ farms: number }>(
    `SELECT count(*)::int AS farms FROM iot.farm WHERE from_traffic AND created_at > now() - INTERVAL '1 day'`,
  );
  return {
    farms: new Set(rows.map(({ code }) => code)),
    newFarms: made.rows[0]?.farms ?? 0,
    newDevices: new Map(rows.map(({ code, devices }) => [code, devices])),
  };
}

/** Makes farms because devices speak of them. */
export async function putFarmsOfTraffic(client: Queryable, codes: readonly string[]): Promise<void> {
  if (codes.length === 0) return;
  await client.query(
    `INSERT INTO iot.farm (code, name, from_traffic) SELECT c, c, true FROM unnest($1::text[]) c ON CONFLICT DO NOTHING`,
    [codes],
  );
}
