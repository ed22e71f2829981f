// What the tests of the connection with Odoo share: signed calls as the addon makes them.
import { createHmac, randomInt } from 'node:crypto';
import type { OdooAdmin } from './odoo.ts';

/** The header of a signed call. */
export function signature(secret: string, body: string, at = Math.floor(Date.now() / 1000)): string {
  const digest = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return `t=${at},v1=${digest}`;
}

/** Makes a signed call. Each body differs in white space at its end, as the clock alone would repeat within a second. */
export async function callSigned(
  url: string,
  secret: string,
  path: string,
  content: Record<string, unknown>,
  /** UUID of the Odoo database that asks; a connector that has an Odoo wants it. */
  database?: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const body =
    JSON.stringify(content) +
    randomInt(2 ** 40)
      .toString(2)
      .replaceAll('0', ' ')
      .replaceAll('1', '\n');
  const response = await fetch(`${url}/api/v1/odoo/${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-smart-dairy-signature': signature(secret, body),
      ...(database === undefined ? {} : { 'x-smart-dairy-database': database }),
    },
    body,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The UUID of an Odoo database. */
export const databaseUuid = async (admin: OdooAdmin): Promise<string> =>
  String(await admin.call('ir.config_parameter', 'get_param', { key: 'database.uuid' }));
