// Health and metrics of the bridge role for machines; there is nothing else to ask a bridge.
import { createServer, type Server } from 'node:http';
import { messageOf } from '../../contract/errors.ts';
import { httpLimits, listenOn } from '../../contract/runtime/listen.ts';
import type { Logger } from '../../contract/runtime/logger.ts';

type Answer = { code: number; body: object | string };

/** Makes what a path answers. */
export type BridgePage = () => Answer | Promise<Answer>;

/** Serves `routes` by their exact path. Rejects when the port is taken. */
export async function startBridgeHealth(
  place: { host: string; port: number },
  routes: ReadonlyMap<string, BridgePage>,
  logger: Logger,
): Promise<Server> {
  const notFound = () => ({ code: 404, body: { status: 404 } });
  const server = createServer(httpLimits, (request, response) => {
    Promise.try(routes.get(request.url ?? '') ?? notFound)
      .then(({ code, body }) => {
        const isText = typeof body === 'string';
        const text = isText ? body : JSON.stringify(body);
        const type = isText ? 'text/plain; version=0.0.4' : 'application/json';
        response.writeHead(code, { 'content-type': type }).end(text);
      })
      .catch((error: unknown) => {
        logger.error({ error: messageOf(error) }, 'health page failed');
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end();
      });
  });
  await listenOn(server, place, logger, 'health page');
  return server;
}
