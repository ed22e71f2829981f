// The REST server: health and metrics for machines, status and outbox for people and scripts.
import { createServer, type Server } from 'node:http';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Registry } from 'prom-client';
import * as z from 'zod';
import { messageOf, toAppError, type ErrorKind } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Readiness } from '../health.ts';
import { isAuthorized } from './auth.ts';

/** What the routes answer from. */
export interface RestSources {
  readiness: () => Promise<Readiness>;
  registry: Registry;
  status: () => Promise<Record<string, unknown>>;
  latestMilkings: (limit: number) => Promise<unknown[]>;
  deadLetters: (limit: number) => Promise<unknown[]>;
  parked: (limit: number) => Promise<unknown[]>;
  /** Puts parked records back into the queue, all of them without ids; returns how many. */
  retryParked: (ids: number[] | undefined) => Promise<number>;
}

const limitSchema = z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(20) });
const retrySchema = z.strictObject({ ids: z.array(z.int()).max(10_000).optional() });

/** The application without its server. */
export function createApp(sources: RestSources, token: string, logger: Logger): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/health/live', (_request, response) => {
    response.json({ status: 'live' });
  });
  app.get('/health/ready', async (_request, response) => {
    const ready = await sources.readiness();
    response.status(ready.status === 'down' ? 503 : 200).json(ready);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(sources.registry.contentType).send(await sources.registry.metrics());
  });
  app.use((request, response, next) => {
    if (isAuthorized(request.headers.authorization, token)) return next();
    response.set('WWW-Authenticate', 'Bearer');
    problem(response, 401, 'Authorization: Bearer <CONNECTOR_TOKEN> is missing or wrong');
  });
  app.get('/api/v1/status', async (_request, response) => {
    response.json(await sources.status());
  });
  const list = (path: string, read: (limit: number) => Promise<unknown[]>) =>
    app.get(path, async (request, response) => {
      const query = limitSchema.safeParse(request.query);
      if (!query.success)
        return problem(response, 400, `limit: ${query.error.issues[0]?.message ?? 'wrong'}`);
      response.json(await read(query.data.limit));
    });
  list('/api/v1/milkings/latest', sources.latestMilkings);
  list('/api/v1/dead-letters', sources.deadLetters);
  list('/api/v1/outbox/parked', sources.parked);
  // Whatever the content type says: a body that is not read would mean "all".
  app.post(
    '/api/v1/outbox/retry',
    express.json({ limit: '256kb', type: () => true }),
    async (request, response) => {
      const body = retrySchema.safeParse(request.body ?? {});
      if (!body.success) return problem(response, 400, 'expected {"ids": [1, 2, …]} or {} for all');
      response.json({ retried: await sources.retryParked(body.data.ids) });
    },
  );
  app.use((request, response) => problem(response, 404, `there is no ${request.method} ${request.path}`));
  app.use(errorHandler(logger));
  return app;
}

const statusOf: Record<ErrorKind, number> = { invalid: 400, denied: 503, transient: 503, bug: 500 };

function errorHandler(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    if (response.headersSent) return next(thrown);
    const clientStatus = (thrown as { status?: unknown }).status;
    if (typeof clientStatus === 'number' && clientStatus < 500)
      return problem(response, clientStatus, messageOf(thrown));
    const error = toAppError(thrown);
    logger.error({ method: request.method, path: request.path, error: error.message }, 'request failed');
    problem(
      response,
      statusOf[error.kind],
      error.kind === 'bug' ? 'internal error, see the log' : error.message,
    );
  };
}

/** An RFC 9457 problem. */
function problem(response: express.Response, status: number, detail: string): void {
  response.status(status).type('application/problem+json').send(JSON.stringify({ status, detail }));
}

/** Listens; resolves with the server when it does. */
export async function listen(app: Express, host: string, port: number): Promise<Server> {
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}
