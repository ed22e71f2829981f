// What the tests of the connection with Odoo share: signed calls as the addon makes them.
import { createHmac, randomInt } from 'node:crypto';
import type { OdooAdmin } from './odoo.ts';

/** The header of a signed call. `database`: what X-Smart-Dairy-Database says; empty without that. */
export function signature(
  secret: string,
  path: string,
  body: string,
  { at = Math.floor(Date.now() / 1000), database = '' } = {},
): string {
  const signed = `${at}\nPOST\n${path}\n${database}\n${body}`;
  return `t=${at},v2=${createHmac('sha256', secret).update(signed).digest('hex')}`;
}

/** Makes a signed call. Each body differs in white space at its end, as the clock alone would repeat within a second. */
export async function callSigned(
  url: string,
  secret: string,
  path: string,
  content: Record<string, unknown>,
  /** UUID of the Odoo database that asks; a connector that has an Odoo wants it. */
  database = '',
): Promise<{ status: number; body: Record<string, unknown> }> {
  const body =
    JSON.stringify(content) +
    randomInt(2 ** 40)
      .toString(2)
      .replaceAll('0', ' ')
      .replaceAll('1', '\n');
  const target = `/api/v1/odoo/${path}`;
  const response = await fetch(url + target, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-smart-dairy-signature': signature(secret, target, body, { database }),
      ...(database === '' ? {} : { 'x-smart-dairy-database': database }),
    },
    body,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The UUID of an Odoo database. */
export const databaseUuid = async (admin: OdooAdmin): Promise<string> =>
  String(await admin.call('ir.config_parameter', 'get_param', { key: 'database.uuid' }));
