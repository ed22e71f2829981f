// Makes an Odoo client: a transport by name, or `auto` by what the server is.
import { AppError } from '../../contract/errors.ts';
import { OdooError } from './errors.ts';
import { createJson2Client } from './json2.ts';
import { createJsonRpcClient } from './jsonrpc.ts';
import type { OdooClient, OdooTarget, TransportName } from './transport.ts';
import { fetchVersion } from './version.ts';
import { createXmlRpcClient } from './xmlrpc.ts';

const transports: Record<TransportName, (target: OdooTarget) => OdooClient> = {
  json2: createJson2Client,
  jsonrpc: createJsonRpcClient,
  xmlrpc: createXmlRpcClient,
};

/** Connection settings; `timeoutMs` defaults to 30 s, `maxResponseBytes` to 16 MiB. */
export interface OdooSettings extends Omit<OdooTarget, 'timeoutMs' | 'maxResponseBytes'> {
  transport: TransportName | 'auto';
  timeoutMs?: number;
  maxResponseBytes?: number;
}

/** Makes a client without connecting. Throws AppError `invalid` for an address that cannot work. */
export function createOdooClient(settings: OdooSettings): OdooClient {
  const { transport, timeoutMs = 30_000, maxResponseBytes = 16 * 1024 * 1024, ...rest } = settings;
  const target: OdooTarget = { ...rest, url: cleanUrl(settings.url), timeoutMs, maxResponseBytes };
  if (transport === 'xmlrpc' && new URL(target.url).pathname !== '/') {
    throw new AppError('invalid', 'ODOO_URL must not have a path with the xmlrpc transport: use jsonrpc');
  }
  const client = transport === 'auto' ? createAutoClient(target) : transports[transport](target);
  return {
    ...client,
    call: (model, method, args, signal) =>
      client.call(model, method, args, signal).catch((error: unknown) => {
        throw withoutSecret(error, target.apiKey);
      }),
  };
}

/** JSON-2 from Odoo 19 on, else JSON-RPC. Asked again after a misconfiguration: the server may have been upgraded. */
function createAutoClient(target: OdooTarget): OdooClient {
  let chosen: OdooClient | undefined;
  return {
    async call(model, method, args, signal) {
      chosen ??= transports[(await fetchVersion(target, signal)).major >= 19 ? 'json2' : 'jsonrpc'](target);
      try {
        return await chosen.call(model, method, args, signal);
      } catch (error) {
        if (error instanceof OdooError && error.reason === 'misconfigured') chosen = undefined;
        throw error;
      }
    },
    version: () => fetchVersion(target),
    describe: () => chosen?.describe() ?? `Odoo at ${target.url}, database ${target.database}`,
  };
}

function cleanUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new AppError('invalid', 'ODOO_URL is not an address: write it like https://odoo.example.com');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AppError('invalid', 'ODOO_URL must start with http:// or https://');
  }
  if (url.username !== '' || url.password !== '') {
    throw new AppError('invalid', 'ODOO_URL must not contain a user or password: use ODOO_API_KEY');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** Odoo echoes arguments in some messages; the key must not travel on into logs and screens. */
function withoutSecret(error: unknown, secret: string): unknown {
  if (!(error instanceof OdooError) || secret === '' || !error.message.includes(secret)) return error;
  const { reason, retryAfterMs } = error;
  return new OdooError(reason, error.message.replaceAll(secret, '***'), { retryAfterMs });
}
