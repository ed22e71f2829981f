// Idempotency-Key: the same key within 24 h gets the answer of the first time.
import { createHash } from 'node:crypto';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { claimKey, keepAnswer, releaseKey } from '../db/idempotency.ts';
import type { Db } from '../db/pool.ts';
import type { AroundPost } from './mount.ts';
import { HttpError, sendProblem, toProblem, wrongField, type Problem } from './problem.ts';
import { callerOf } from './rate-limit.ts';

/** Makes the keeper of answers. Answers that say "try again" (429 and above) are not kept. */
export function idempotency(db: Db, logger: Logger): AroundPost {
  return async (request, response, run) => {
    const key = request.get('idempotency-key');
    if (key === undefined) return run();
    if (!/^[\x21-\x7e]{1,255}$/.test(key))
      throw wrongField('Idempotency-Key', '1 to 255 visible ASCII characters, a UUID for example');
    const bytes = (request as { bytes?: Buffer }).bytes ?? Buffer.alloc(0);
    const digest = createHash('sha256')
      .update(`${request.method} ${request.originalUrl}\n`)
      .update(bytes)
      .digest('base64');
    const claim = { caller: callerOf(request), key, digest };
    const known = await claimKey(db, claim);
    if (known.state === 'other')
      throw wrongField(
        'Idempotency-Key',
        'came with another request before; use a new key for a new request',
        422,
      );
    if (known.state === 'running') {
      response.set('Retry-After', '1');
      throw new HttpError(409, 'the first request with this Idempotency-Key is still at work; ask again');
    }
    if (known.state === 'answered') {
      response.set('Idempotency-Replayed', 'true');
      const body = JSON.parse(known.body) as unknown;
      if (known.status < 400) return body;
      sendProblem(response, body as Problem);
      return undefined;
    }
    const keep = (status: number, body: unknown) =>
      keepAnswer(db, claim, status, JSON.stringify(body)).catch((error: unknown) =>
        logger.warn({ error: messageOf(error) }, 'answer not kept for its idempotency key'),
      );
    try {
      const value = await run();
      await keep(200, value);
      return value;
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status < 429) await keep(problem.status, problem);
      else await releaseKey(db, claim).catch(() => undefined);
      throw error;
    }
  };
}
