// An HTTP listener of a protocol: JSON in, tokens compared in constant time, trouble told when the port is taken.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { bounded } from '../../contract/runtime/boundary.ts';
import { httpLimits } from '../../contract/runtime/listen.ts';
import { messageOf } from '../../contract/errors.ts';
import { isSameSecret } from '../../contract/runtime/secret.ts';
import type { Services } from './protocol.ts';

export interface HttpListener {
  /** Resolves with the port once it listens. */
  port: Promise<number>;
  close(): Promise<void>;
}

/** A request must carry one of these tokens as `Authorization: Bearer …`. */
type RequireToken = (tokens: readonly string[]) => RequestHandler;

interface ListenerParts {
  /** For messages, and the key of its trouble. */
  name: string;
  services: Services;
  routes: (app: Express, requireToken: RequireToken) => void;
}

const retryMs = 5000;
const bodyLimit = '256kb';

/** Listens, and tries again for as long as the port is taken. */
export function startHttpListener(
  { host, port }: { host: string; port: number },
  { name, services, routes }: ListenerParts,
): HttpListener {
  const { logger } = services;
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: bodyLimit, type: () => true }));
  routes(app, requireToken);
  app.use((_request, response) => {
    response.status(404).json({ error: 'there is nothing here' });
  });
  const onFailure: ErrorRequestHandler = (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    const status = (error as { status?: unknown } | null)?.status;
    const isTheirs = typeof status === 'number' && status >= 400 && status < 500;
    if (!isTheirs) logger.error({ error: messageOf(error) }, `${name}: request failed`);
    response.status(isTheirs ? status : 500).json({ error: isTheirs ? messageOf(error) : 'internal error' });
  };
  app.use(onFailure);

  const server: Server = createServer(httpLimits, app);
  const listening = Promise.withResolvers<number>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const listen = bounded(logger, name, () => server.listen(port, host));
  const onListening = () => {
    if (closed) {
      server.close();
      return;
    }
    services.trouble(name, undefined);
    const own = (server.address() as AddressInfo).port;
    logger.info({ host, port: own }, `${name} listens`);
    listening.resolve(own);
  };
  server.on('listening', bounded(logger, name, onListening));
  const onError = (error: Error) => {
    if (closed) return;
    // Too many open files, as an example: it listens on.
    if (server.listening) return logger.error({ error: messageOf(error) }, `${name}: server error`);
    services.trouble(name, `${name} cannot listen on ${host}:${port}: ${messageOf(error)}`);
    logger.error({ error: messageOf(error) }, `${name} cannot listen, trying on`);
    timer = setTimeout(listen, retryMs);
  };
  server.on('error', bounded(logger, name, onError));
  listen();
  return {
    port: listening.promise,
    close: () =>
      new Promise((resolve) => {
        closed = true;
        clearTimeout(timer);
        services.trouble(name, undefined);
        if (!server.listening) return resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The token that a request carries, '' for none. */
export const bearerToken = (header: string | undefined) => /^Bearer (\S+)$/i.exec(header ?? '')?.[1] ?? '';

/** Which of those expected a token is, -1 for none; in the same time whatever it is. */
export function matchesToken(given: string, expected: readonly string[]): number {
  // No early end: every one is compared.
  return expected.reduce((found, token, index) => (isSameSecret(given, token) ? index : found), -1);
}

const requireToken: RequireToken = (tokens) => (request, response, next) => {
  if (matchesToken(bearerToken(request.headers.authorization), tokens) >= 0) return next();
  response.status(401).json({ error: 'wrong or missing token: send Authorization: Bearer <token>' });
};
