// Signed calls from Odoo: `X-Smart-Dairy-Signature: t=<unix seconds>,v1=<hex hmac-sha256 of "t.body">`.
import { createHmac } from 'node:crypto';
import { isSameSecret } from '../../contract/runtime/secret.ts';

/** How far the clocks of Odoo and connector may differ, in seconds. */
export const signatureWindowS = 300;

/** What is wrong with a signature, or its digest when it is right. */
export type SignatureCheck = { ok: true; digest: string } | { ok: false; reason: string };

/** Checks a header against the bytes of the body, in constant time. `now` is epoch ms. Replays are the caller's matter. */
export function checkSignature(
  header: string | undefined,
  body: Uint8Array,
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
  const given = parts.get('v1') ?? '';
  if (!/^\d{1,12}$/.test(at) || !/^[0-9a-f]{64}$/.test(given))
    return { ok: false, reason: 'X-Smart-Dairy-Signature: expected t=<unix seconds>,v1=<64 hex digits>' };
  const expected = createHmac('sha256', secret).update(`${at}.`).update(body).digest('hex');
  if (!isSameSecret(given, expected))
    return { ok: false, reason: 'the signature is wrong: is CONNECTOR_ODOO_SECRET the same in Odoo?' };
  if (Math.abs(now / 1000 - Number(at)) > signatureWindowS)
    return {
      ok: false,
      reason: `signed more than ${signatureWindowS} s ago: compare the clocks of both machines`,
    };
  return { ok: true, digest: given };
}
