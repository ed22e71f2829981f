// A tag reader with an antenna per stall, on TCP: `antenna;LA ccc nnnnnnnnnnnn`, several times for every animal.
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface RfidServer {
  port: number;
  /** A tag of 15 digits at an antenna; undefined when the reader noticed an animal and got no tag. */
  read(antenna: string, tag: string | undefined, times?: number): void;
  close(): Promise<void>;
}

/** Listens. Rejects when the port is taken. */
export async function startRfidServer(host: string, port: number): Promise<RfidServer> {
  const sockets = new Set<Socket>();
  // An animal in the field is read again and again: who connects later hears of it too.
  const present = new Map<string, string>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.resume();
    for (const line of present.values()) socket.write(line);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    read: (antenna, tag, times = 3) => {
      const what = tag === undefined ? 'NOREAD' : `LA ${tag.slice(0, 3)} ${tag.slice(3)}`;
      const lines = `${antenna};${what}\r\n`.repeat(times);
      present.set(antenna, lines);
      for (const socket of sockets) socket.write(lines);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
