// A network cable that can be pulled: TCP forwarded to a port, or held without a word and without an end.
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';

/** A forwarded port. */
export interface Cable {
  port: number;
  /** Nothing passes any more, in neither direction; connections stay open, as they do when a cable is pulled. */
  pull: () => void;
  plug: () => void;
  close: () => void;
}

/** Lays a cable to a port of this machine. */
export async function layCable(to: number): Promise<Cable> {
  const sockets = new Set<Socket>();
  let pulled = false;
  const waiting: (() => void)[] = [];
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      // The end of a connection does not pass a pulled cable either.
      if (pulled) waiting.push(() => other.destroy());
      else other.destroy();
    });
  };
  const server = createServer((near) => {
    near.on('error', () => undefined);
    const join = (): void => {
      if (near.destroyed) return;
      const far = connect(to, '127.0.0.1');
      keep(near, far);
      keep(far, near);
      near.on('data', (data) => far.write(data));
      far.on('data', (data) => near.write(data));
      if (pulled) [near, far].map((socket) => socket.pause());
    };
    if (pulled) waiting.push(join);
    else join();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a cable without a port');
  return {
    port: address.port,
    pull() {
      pulled = true;
      for (const socket of sockets) socket.pause();
    },
    plug() {
      pulled = false;
      for (const socket of sockets) socket.resume();
      for (const work of waiting.splice(0)) work();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
