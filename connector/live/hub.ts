// The live stream: a WebSocket that tells of committed milkings, commands to devices and Odoo's answers.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { LiveType } from '../odoo/mapping/index.ts';

/** What listeners receive, as JSON. */
export type LiveEvent =
  ({ type: LiveType } & object) | { type: 'odoo'; kind: string; source_id: string; result: unknown };

/** The open stream. */
export interface LiveHub {
  /** Serves it on an HTTP server. */
  serve(server: Server): void;
  broadcast(event: LiveEvent): void;
  stop(): void;
}

const heartbeatMs = 30_000;
/** A listener that is so far behind is cut off; it may come back and read what it missed from REST. */
const maxBufferedBytes = 1_000_000;

/**
 * Answers those who may not listen, and says of a request whether it may. `listeners` is how many there are; the one who asks is
 * none of them yet.
 */
export type Admit = (request: IncomingMessage, socket: Duplex, listeners: number) => Promise<boolean>;

/** Makes the stream for those whom `admit` lets in. */
export function createLiveHub(admit: Admit, logger: Logger): LiveHub {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_024 });
  const answered = new WeakSet<WebSocket>();
  const onUpgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // With the upgrade Node hands the socket over, without a listener of its own: a reset would end the process.
    socket.on('error', onSocketError);
    if (!(await admit(request, socket, sockets.clients.size))) return;
    // From here on the WebSocket hears the socket's errors.
    socket.off('error', onSocketError);
    sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
  };
  const onSocketError = (error: Error) => logger.debug({ error: error.message }, 'upgrade broken off');
  sockets.on(
    'connection',
    bounded(logger, 'live listener', (client: WebSocket) => {
      answered.add(client);
      client.on('pong', () => answered.add(client));
      client.on('error', (error) => logger.debug({ error: error.message }, 'live listener failed'));
    }),
  );
  // Half-open connections do not end by themselves.
  const beat = () => {
    for (const client of sockets.clients) {
      if (!answered.delete(client)) client.terminate();
      else client.ping();
    }
  };
  const heartbeat = setInterval(bounded(logger, 'live heartbeat', beat), heartbeatMs);
  return {
    serve(server) {
      server.on('upgrade', bounded(logger, 'upgrade request', onUpgrade));
    },
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
