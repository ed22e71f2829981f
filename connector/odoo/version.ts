// Asks a server for its version without logging in.
import * as z from 'zod';
import { OdooError } from './errors.ts';
import { requestJson } from './http.ts';
import type { OdooTarget, OdooVersion } from './transport.ts';

const versionInfo = z.tuple([z.union([z.number(), z.string()])]).rest(z.unknown());
const newAnswer = z.object({ version_info: versionInfo, version: z.string() });
const oldAnswer = z.object({
  result: z.object({ server_version_info: versionInfo, server_version: z.string() }),
});

/** Odoo 19 answers GET /web/version; every version since 8 answers POST /web/webclient/version_info. */
export async function fetchVersion(target: OdooTarget, signal?: AbortSignal): Promise<OdooVersion> {
  const common = {
    timeoutMs: Math.min(target.timeoutMs, 10_000),
    maxResponseBytes: target.maxResponseBytes,
    signal,
  };
  // An older server answers 404 in HTML here; any other trouble shows again in the second request.
  const first = await requestJson({ ...common, url: `${target.url}/web/version` }).catch((error: unknown) => {
    if (error instanceof OdooError && error.reason === 'misconfigured') return undefined;
    throw error;
  });
  const fresh = newAnswer.safeParse(first?.body);
  if (fresh.success) return toVersion(fresh.data.version_info[0], fresh.data.version);
  const body = { jsonrpc: '2.0', id: 1, method: 'call', params: {} };
  const second = await requestJson({ ...common, url: `${target.url}/web/webclient/version_info`, body });
  const old = oldAnswer.safeParse(second.body);
  if (old.success) return toVersion(old.data.result.server_version_info[0], old.data.result.server_version);
  throw new OdooError('misconfigured', `${target.url} does not tell an Odoo version: check ODOO_URL`);
}

function toVersion(first: number | string, text: string): OdooVersion {
  // Odoo Online calls itself 'saas~18' in the first place.
  return { major: Number(String(first).replace(/\D+/g, '')), text };
}
