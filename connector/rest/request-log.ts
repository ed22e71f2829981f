// Request ids, and one log line a request.
import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Logger } from '../../contract/runtime/logger.ts';

/** The id of the request being answered. */
export const requestId = (response: Response): string => String(response.locals['requestId'] ?? '');

/** Takes X-Request-Id or makes one, sends it back, and logs the request when it is over; errors are told apart by level. */
export function requestLog(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const given = request.get('x-request-id') ?? '';
    const id = /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
    response.locals['requestId'] = id;
    response.set('X-Request-Id', id);
    const startedAt = performance.now();
    const onClose = () => {
      const { statusCode } = response;
      const line = {
        request_id: id,
        method: request.method,
        path: request.path,
        status: statusCode,
        duration_ms: Math.round(performance.now() - startedAt),
        // A client that went away before its answer.
        ...(response.writableFinished ? {} : { aborted: true }),
      };
      // Devices send many times a second: what went well is for those who look closely. Errors of ours are logged with their cause.
      if (statusCode >= 400 && statusCode < 500) logger.info(line, 'request');
      else logger.debug(line, 'request');
    };
    response.once('close', bounded(logger, 'request log', onClose));
    next();
  };
}
