// XML-RPC through odoo-xmlrpc, which has no types, no timeout and rejects with plain objects: all of that ends here.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
// @ts-expect-error odoo-xmlrpc has no types; OdooXmlRpc below is the part of it that is used here.
import Odoo from 'odoo-xmlrpc';
import { messageOf } from '../../contract/errors.ts';
import { OdooError, fromException, fromStatus, parseRetryAfter } from './errors.ts';
import { networkError, notOdoo, timedOut, tooLarge } from './http.ts';
import { createLogin, toExecuteKw } from './login.ts';
import type { OdooClient, OdooTarget } from './transport.ts';
import { fetchVersion } from './version.ts';

type Callback = (error: unknown, value: unknown) => void;
interface OdooXmlRpc {
  connect(callback: Callback): void;
  execute_kw(model: string, method: string, params: unknown[], callback: Callback): void;
}
type OdooConstructor = new (config: {
  url: string;
  db: string;
  username: string;
  password: string;
}) => OdooXmlRpc;

/** A client over `/xmlrpc/2`. The server must be at the root of its address: the package ignores a path. */
export function createXmlRpcClient(target: OdooTarget): OdooClient {
  const odoo = new (Odoo as OdooConstructor)({
    url: target.url,
    db: target.database,
    username: target.login,
    password: target.apiKey,
  });
  // The package keeps the user id itself; ours only says whether it has one.
  const session = createLogin((signal) => guarded(target, signal, (callback) => odoo.connect(callback)));
  return {
    call: (model, method, args, signal) =>
      session.withUid(
        () =>
          guarded(target, signal, (callback) => odoo.execute_kw(model, method, toExecuteKw(args), callback)),
        signal,
      ),
    version: () => fetchVersion(target),
    describe: () => `Odoo at ${target.url}, database ${target.database}, xmlrpc`,
  };
}

/** Runs one call of the package with timeout, abort and size limit, by getting hold of the HTTP request that it makes. */
function guarded(
  { timeoutMs, maxResponseBytes }: OdooTarget,
  signal: AbortSignal | undefined,
  start: (callback: Callback) => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let request: ClientRequest | undefined;
    const fail = (error: OdooError) => {
      finish();
      reject(error);
      request?.destroy();
    };
    const timer = setTimeout(() => fail(timedOut(timeoutMs)), timeoutMs);
    const onAbort = () => fail(new OdooError('unreachable', 'the call to Odoo was given up'));
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener('abort', onAbort);

    const onRequest = (message: unknown) => {
      request = (message as { request: ClientRequest }).request;
      // Before the package's own listener: its parser takes an HTML page of a proxy for broken XML-RPC.
      request.prependListener('response', (response: IncomingMessage) => {
        watch(response, maxResponseBytes, fail);
      });
    };
    // The package makes its request before start() returns, so nobody else's can be caught here.
    subscribe('http.client.request.created', onRequest);
    try {
      start((error, value) => {
        finish();
        if (error === null || error === undefined) resolve(value);
        else reject(fromFault(error));
      });
    } catch (error) {
      fail(new OdooError('rejected', `cannot be written as XML-RPC: ${messageOf(error)}`));
    } finally {
      unsubscribe('http.client.request.created', onRequest);
    }
  });
}

function watch(response: IncomingMessage, maxResponseBytes: number, fail: (error: OdooError) => void): void {
  const status = response.statusCode ?? 0;
  if (status >= 300) {
    fail(fromStatus(status, '', parseRetryAfter(response.headers['retry-after'], Date.now())));
    return;
  }
  if (response.headers['content-type']?.includes('xml') !== true) {
    fail(notOdoo(`content type ${response.headers['content-type'] ?? 'missing'}`));
    return;
  }
  let bytes = 0;
  const measure = (chunk: string | Buffer) => {
    bytes += Buffer.byteLength(chunk);
    if (bytes > maxResponseBytes) fail(tooLarge(maxResponseBytes));
  };
  response.on('data', measure);
}

/** Fault codes of /xmlrpc/2: 1 any exception (a traceback), 2 UserError, 3 AccessDenied, 4 AccessError. */
function fromFault(error: unknown): OdooError {
  const { faultCode, faultString } = error as { faultCode?: unknown; faultString?: unknown };
  if (typeof faultString !== 'string') {
    const message = messageOf(error);
    if (message.includes('No UID')) {
      return fromException({ name: 'odoo.exceptions.AccessDenied', message: 'login refused' });
    }
    return error instanceof Error && 'code' in error ? networkError(error) : notOdoo(message);
  }
  if (faultCode === 2) return fromException({ name: 'odoo.exceptions.UserError', message: faultString });
  if (faultCode === 3) return fromException({ name: 'odoo.exceptions.AccessDenied', message: faultString });
  if (faultCode === 4) return fromException({ name: 'odoo.exceptions.AccessError', message: faultString });
  const last = faultString.trim().split('\n').at(-1) ?? '';
  const exception = /^([\w.]+): (.*)$/.exec(last);
  return fromException({ name: exception?.[1] ?? 'an exception', message: exception?.[2] ?? last });
}
