// Signed calls from Odoo: `X-Smart-Dairy-Signature: t=<unix seconds>,v2=<hex hmac-sha256>` of these lines: the seconds, the
// method, the path behind the host, the database that asks (X-Smart-Dairy-Database), and the body. Whoever hears a call can neither
// use it for another path or database nor later.
import { createHmac } from 'node:crypto';
import { isSameSecret } from '../../contract/runtime/secret.ts';

/** How far the clocks of Odoo and connector may differ, in seconds. */
export const signatureWindowS = 300;

/** A call as it came. `path` with its query; `database` is empty where the call names none. */
export interface SignedCall {
  header: string | undefined;
  method: string;
  path: string;
  database: string;
  body: Uint8Array;
}

/** What is wrong with a signature, or its digest when it is right. */
export type SignatureCheck = { ok: true; digest: string } | { ok: false; reason: string };

/** Checks a call in constant time. `now` is epoch ms. Replays are the caller's matter. */
export function checkSignature(
  { header, method, path, database, body }: SignedCall,
  secret: string,
  now: number,
): SignatureCheck {
  const parts = new Map(
    (header ?? '').split(',').map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    }),
  );
  const at = parts.get('t') ?? '';
  const given = parts.get('v2') ?? '';
  if (parts.has('v1') && !parts.has('v2')) return { ok: false, reason: outdated };
  if (!/^\d{1,12}$/.test(at) || !/^[0-9a-f]{64}$/.test(given))
    return { ok: false, reason: 'X-Smart-Dairy-Signature: expected t=<unix seconds>,v2=<64 hex digits>' };
  const expected = createHmac('sha256', secret)
    .update(`${at}\n${method}\n${path}\n${database}\n`)
    .update(body)
    .digest('hex');
  if (!isSameSecret(given, expected))
    return {
      ok: false,
      reason:
        'the signature is wrong: is CONNECTOR_ODOO_SECRET the same in Odoo, and does a proxy on the way change the path?',
    };
  if (Math.abs(now / 1000 - Number(at)) > signatureWindowS)
    return {
      ok: false,
      reason: `signed more than ${signatureWindowS} s ago: compare the clocks of both machines`,
    };
  return { ok: true, digest: given };
}

const outdated =
  "signed as an older addon does (v1, without method and path): update the addons in Odoo to this connector's version " +
  '(odoo-addon-bridge/, then odoo-bin -u smart_dairy_iot)';
