// Routes in an application: what stands around their handlers, in its order.
import type { Express, Request, RequestHandler, Response } from 'express';
import { bodyBytes, contentOf, jsonOf, usualBodyBytes } from './json-body.ts';
import { HttpError } from './problem.ts';
import { withFormerNames } from './renamed.ts';
import type { Route } from './route.ts';

/** Runs around the handler of every POST: an idempotency key may answer instead of it. */
export type AroundPost = (
  request: Request,
  response: Response,
  run: () => Promise<unknown>,
) => Promise<unknown>;

/** What stands around the handlers. */
interface Around {
  post: AroundPost;
  /** Counts, by address, those who could not prove who they are: `response.locals.denied` says why. */
  limitDenied: RequestHandler;
  /** Counts, by address, requests that nobody has to prove himself for. */
  limitOpen: RequestHandler;
}

/** Adds routes to an application. */
export function addRoutes(app: Express, routes: readonly Route[], around: Around): void {
  for (const entry of routes) {
    const path = entry.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const handler: RequestHandler = async (request, response) => {
      const run = async () => withFormerNames(await entry.run(request, response), entry.renamed?.output);
      const value = await (entry.method === 'post' ? around.post(request, response, run) : run());
      if (value === undefined) return;
      if (entry.method === 'get') {
        response.set('Cache-Control', entry.cache ?? 'private, no-cache').json(value);
      } else {
        // Without an ETag: a digest of every batch's answer would be for nothing.
        response.set('Cache-Control', 'no-store').type('json').end(JSON.stringify(value));
      }
    };
    const doors = entry.open === true && entry.authenticate === undefined ? [around.limitOpen] : [];
    if (entry.method === 'get') app.get(path, doors, handler);
    else
      app.post(
        path,
        doors,
        bodyBytes(entry.maxBodyBytes ?? usualBodyBytes),
        proof(entry.authenticate, around.limitDenied),
        readContent(entry.judgesRows === true ? jsonOf : contentOf),
        handler,
      );
  }
}

function proof(authenticate: Route['authenticate'], limitDenied: RequestHandler): RequestHandler[] {
  if (authenticate === undefined) return [];
  return [
    async (request, response, next) => {
      try {
        await authenticate(request);
      } catch (error) {
        // That we cannot look is no fault of whoever asks.
        if (!(error instanceof HttpError) || error.status >= 500) throw error;
        response.locals['denied'] = error;
      }
      next();
    },
    limitDenied,
    (_request, response, next) => {
      const { denied } = response.locals;
      if (denied !== undefined) throw denied;
      next();
    },
  ];
}

/** Puts the content in the place of the bytes, which stay for the digest of an idempotency key. */
const readContent =
  (read: (request: Request) => unknown): RequestHandler =>
  (request, _response, next) => {
    const content = read(request);
    if (request.get('idempotency-key') !== undefined)
      Object.assign(request, { bytes: request.body as Buffer });
    request.body = content;
    next();
  };
