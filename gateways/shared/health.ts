// Health and metrics of a gateway over HTTP: /health/live, /health/ready, /metrics (Prometheus text).
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../contract/errors.ts';
import { httpLimits, listenOn } from '../../contract/runtime/listen.ts';
import type { Logger } from '../../contract/runtime/logger.ts';

type Labels = Readonly<Record<string, string>>;

export interface Meters {
  count(name: string, labels?: Labels, by?: number): void;
  gauge(name: string, labels: Labels, value: number): void;
  /** Prometheus text, with `more` unlabelled values added. */
  text(more: Readonly<Record<string, number>>): string;
}

/** Counters and gauges in memory. */
export function createMeters(): Meters {
  const values = new Map<
    string,
    { name: string; labels: string; type: 'counter' | 'gauge'; value: number }
  >();
  const entry = (type: 'counter' | 'gauge', name: string, labels: Labels) => {
    const text = Object.entries(labels)
      .map(([key, value]) => `${key}="${value.replaceAll(/["\\\n]/g, '_')}"`)
      .join(',');
    const key = `${name}{${text}}`;
    let found = values.get(key);
    if (found === undefined) values.set(key, (found = { name, labels: text, type, value: 0 }));
    return found;
  };
  return {
    count: (name, labels = {}, by = 1) => {
      entry('counter', name, labels).value += by;
    },
    gauge: (name, labels, value) => {
      entry('gauge', name, labels).value = value;
    },
    text: (more) => {
      const lines: string[] = [];
      const typed = new Set<string>();
      for (const { name, labels, type, value } of values.values()) {
        if (!typed.has(name)) lines.push(`# TYPE gateway_${name} ${type}`);
        typed.add(name);
        lines.push(`gateway_${name}${labels === '' ? '' : `{${labels}}`} ${value}`);
      }
      for (const [name, value] of Object.entries(more)) lines.push(`gateway_${name} ${value}`);
      return `${lines.join('\n')}\n`;
    },
  };
}

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** Listens. Rejects when the port is taken. */
export async function startHealth(
  { host, port }: { host: string; port: number },
  look: {
    metrics: () => string;
    ready: () => Readonly<Record<string, unknown>> & { status: 'ready' | 'degraded' };
  },
  logger: Logger,
): Promise<HealthServer> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const send = (code: number, type: string, body: string) =>
      response.writeHead(code, { 'content-type': type }).end(body);
    if (request.url === '/health/live') return send(200, 'text/plain', 'ok\n');
    if (request.url === '/metrics') return send(200, 'text/plain; version=0.0.4', look.metrics());
    if (request.url !== '/health/ready')
      return send(404, 'text/plain', 'known: /health/live, /health/ready, /metrics\n');
    const state = look.ready();
    return send(state.status === 'ready' ? 200 : 503, 'application/json', `${JSON.stringify(state)}\n`);
  };
  const server = createServer(httpLimits, (request, response) => {
    try {
      answer(request, response);
    } catch (error) {
      logger.error({ error: messageOf(error) }, 'health page failed');
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain' }).end('internal error, see the log\n');
    }
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
