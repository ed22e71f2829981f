// JSON-2, the protocol of Odoo 19 and later: one POST a call, bearer API key, named arguments.
import * as z from 'zod';
import { fromException, fromStatus } from './errors.ts';
import { requestJson } from './http.ts';
import type { OdooClient, OdooTarget } from './transport.ts';
import { fetchVersion } from './version.ts';

const exceptionSchema = z.object({ name: z.string(), message: z.string() });

/** A client over `/json/2`. */
export function createJson2Client(target: OdooTarget): OdooClient {
  return {
    async call(model, method, args, signal) {
      const answer = await requestJson({
        url: `${target.url}/json/2/${encodeURIComponent(model)}/${encodeURIComponent(method)}`,
        headers: { authorization: `bearer ${target.apiKey}`, 'x-odoo-database': target.database },
        body: args,
        timeoutMs: target.timeoutMs,
        maxResponseBytes: target.maxResponseBytes,
        signal,
      });
      if (answer.status < 400) return answer.body;
      const exception = exceptionSchema.safeParse(answer.body);
      if (!exception.success || answer.status === 429 || answer.retryAfterMs !== undefined) {
        throw fromStatus(answer.status, exception.data?.message ?? '', answer.retryAfterMs);
      }
      // 500 only says "an exception"; which one decides.
      const status = answer.status === 500 ? undefined : answer.status;
      throw fromException({ ...exception.data, status });
    },
    version: () => fetchVersion(target),
    describe: () => `Odoo at ${target.url}, database ${target.database}, json2`,
  };
}
