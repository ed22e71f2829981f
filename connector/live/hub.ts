// The live stream: a WebSocket that tells of committed milkings, commands to devices and Odoo's answers.
import type { Server } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { CommandRow } from '../db/commands.ts';
import { isAuthorized } from '../rest/auth.ts';

/** What listeners receive, as JSON. */
export type LiveEvent =
  | { type: 'milking'; source_id: string; revision: number; record: unknown }
  | ({ type: 'command' } & CommandRow)
  | { type: 'odoo'; kind: string; source_id: string; result: unknown };

/** The open stream. */
export interface LiveHub {
  broadcast(event: LiveEvent): void;
  stop(): void;
}

const path = '/api/v1/live';
const heartbeatMs = 30_000;
/** A listener that is so far behind is cut off; it may come back and read what it missed from REST. */
const maxBufferedBytes = 1_000_000;

/** Serves the stream on an HTTP server; listeners need the bearer token. */
export function createLiveHub(server: Server, token: string, logger: Logger): LiveHub {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_024 });
  const answered = new WeakSet<WebSocket>();
  server.on('upgrade', (request, socket, head) => {
    const ok = new URL(request.url ?? '/', 'http://localhost').pathname === path;
    if (ok && isAuthorized(request.headers.authorization, token)) {
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
      return;
    }
    socket.end(`HTTP/1.1 ${ok ? '401 Unauthorized' : '404 Not Found'}\r\nConnection: close\r\n\r\n`);
  });
  sockets.on('connection', (client: WebSocket) => {
    answered.add(client);
    client.on('pong', () => answered.add(client));
    client.on('error', (error) => logger.debug({ error: error.message }, 'live listener failed'));
  });
  // Half-open connections do not end by themselves.
  const heartbeat = setInterval(() => {
    for (const client of sockets.clients) {
      if (!answered.delete(client)) client.terminate();
      else client.ping();
    }
  }, heartbeatMs);
  return {
    broadcast(event) {
      if (sockets.clients.size === 0) return;
      const text = JSON.stringify(event);
      for (const client of sockets.clients) {
        if (client.bufferedAmount > maxBufferedBytes) client.terminate();
        else client.send(text);
      }
    },
    stop() {
      clearInterval(heartbeat);
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}
