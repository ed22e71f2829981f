// JSON-RPC at /jsonrpc (execute_kw), for servers before Odoo 19. Its errors come inside HTTP 200.
import * as z from 'zod';
import { OdooError, fromException, fromStatus } from './errors.ts';
import { requestJson } from './http.ts';
import { createLogin, toExecuteKw } from './login.ts';
import type { OdooClient, OdooTarget } from './transport.ts';
import { fetchVersion } from './version.ts';

const answerSchema = z.object({
  jsonrpc: z.literal('2.0'),
  result: z.unknown().optional(),
  error: z
    .object({
      message: z.string().default(''),
      data: z.object({ name: z.string().default(''), message: z.string().default('') }).optional(),
    })
    .optional(),
});

/** A client over `/jsonrpc`. */
export function createJsonRpcClient(target: OdooTarget): OdooClient {
  const { database, login, apiKey } = target;
  let nextId = 1;
  const request = async (service: string, method: string, args: unknown[], signal?: AbortSignal) => {
    const answer = await requestJson({
      url: `${target.url}/jsonrpc`,
      body: { jsonrpc: '2.0', id: nextId++, method: 'call', params: { service, method, args } },
      timeoutMs: target.timeoutMs,
      maxResponseBytes: target.maxResponseBytes,
      signal,
    });
    if (answer.status >= 400) throw fromStatus(answer.status, '', answer.retryAfterMs);
    const parsed = answerSchema.safeParse(answer.body);
    if (!parsed.success) throw new OdooError('unreachable', 'the answer is not JSON-RPC: is ODOO_URL right?');
    const { error, result } = parsed.data;
    if (error === undefined) return result;
    throw fromException({ name: error.data?.name ?? '', message: error.data?.message ?? error.message });
  };
  const session = createLogin((signal) =>
    request('common', 'authenticate', [database, login, apiKey, {}], signal),
  );
  return {
    call: (model, method, args, signal) =>
      session.withUid(
        (uid) =>
          request(
            'object',
            'execute_kw',
            [database, uid, apiKey, model, method, ...toExecuteKw(args)],
            signal,
          ),
        signal,
      ),
    version: () => fetchVersion(target),
    describe: () => `Odoo at ${target.url}, database ${database}, jsonrpc`,
  };
}
