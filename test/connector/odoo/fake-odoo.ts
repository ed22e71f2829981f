// An HTTP server that misbehaves on command, in the ways that a real Odoo does not. It stands beside tests on a real one.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface FakeRequest {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}
export type Behaviour = (request: FakeRequest, response: ServerResponse) => void | Promise<void>;

export interface FakeOdoo {
  url: string;
  requests: FakeRequest[];
  /** What the server does from now on. */
  behave: (behaviour: Behaviour) => void;
  close: () => Promise<void>;
}

export async function startFakeOdoo(first: Behaviour = json(200, null)): Promise<FakeOdoo> {
  let behaviour = first;
  const requests: FakeRequest[] = [];
  const server = createServer((incoming, response) => {
    text(incoming)
      .then((body) => {
        const request = { path: incoming.url ?? '', headers: incoming.headers, body };
        requests.push(request);
        return behaviour(request, response);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    behave: (next) => (behaviour = next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with this. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Behaviour {
  return answer(status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}
export function answer(status: number, body: string, headers: Record<string, string>): Behaviour {
  return (_request, response) => void response.writeHead(status, headers).end(body);
}
/** Takes the request and never answers. */
export const hang: Behaviour = () => undefined;
/** Begins to answer and loses the connection. */
export const resetMidway: Behaviour = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/xml', 'content-length': '1000' }).write('<?xml ');
  setTimeout(() => response.destroy(), 20);
};
