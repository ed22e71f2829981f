// Health and metrics of a gateway over HTTP: /health/live, /health/ready, /metrics (Prometheus text).
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../contract/errors.ts';
import { httpLimits, listenOn } from '../../contract/runtime/listen.ts';
import type { Logger } from '../../contract/runtime/logger.ts';

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** Listens. Rejects when the port is taken. */
export async function startHealth(
  { host, port }: { host: string; port: number },
  look: {
    metrics: () => Promise<string>;
    ready: () => Readonly<Record<string, unknown>> & { status: 'ready' | 'degraded' };
  },
  logger: Logger,
): Promise<HealthServer> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const send = (code: number, type: string, body: string) =>
      response.writeHead(code, { 'content-type': type }).end(body);
    if (request.url === '/health/live') return send(200, 'text/plain', 'ok\n');
    if (request.url === '/metrics') return send(200, 'text/plain; version=0.0.4', await look.metrics());
    if (request.url !== '/health/ready')
      return send(404, 'text/plain', 'known: /health/live, /health/ready, /metrics\n');
    const state = look.ready();
    return send(state.status === 'ready' ? 200 : 503, 'application/json', `${JSON.stringify(state)}\n`);
  };
  const server = createServer(httpLimits, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      logger.error({ error: messageOf(error) }, 'health page failed');
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain' }).end('internal error, see the log\n');
    });
  });
  await listenOn(server, { host, port }, logger, 'health page');
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
