// The devices' side: one MQTT connection with a spool. What was not acknowledged is sent again after a reconnect.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectPacket, disconnectPacket, publishPacket } from '../bench/harness/mqtt-packets.ts';
import type { Sent } from './ledger.ts';

const window = 1_000;

/** Sends what is queued as long as it runs. */
export interface Sender {
  queue: (message: Sent) => void;
  /** Messages that the broker has not acknowledged yet. */
  waiting: () => number;
  /** Keeps what is queued from now on. Resolves when everything before is acknowledged. */
  hold: () => Promise<void>;
  /** Sends what was kept, and keeps no more. */
  release: () => void;
  stop: () => Promise<void>;
}

/** Starts a sender. It connects again for as long as it takes. */
export function startSender(env: Readonly<Record<string, string>>, clientId: string): Sender {
  let spool: Sent[] = [];
  let kept: Sent[] | undefined;
  const underWay = new Map<number, Sent>();
  let socket: Socket | undefined;
  let lastId = 0;
  const life = { stopped: false };

  function flush(): void {
    if (socket === undefined) return;
    let text = '';
    let taken = 0;
    for (const message of spool) {
      if (underWay.size >= window) break;
      lastId = (lastId % 65_535) + 1;
      underWay.set(lastId, message);
      text += publishPacket(message.topic, lastId, message.payload, message.retain);
      taken += 1;
    }
    if (taken === 0) return;
    spool = spool.slice(taken);
    socket.write(text, 'latin1');
  }

  async function connection(): Promise<void> {
    const url = new URL(env['MQTT_URL'] ?? '');
    const mine = connect(Number(url.port), url.hostname);
    mine.on('error', () => undefined);
    // As devices do: packet ids begin again at 1 with each connection.
    lastId = 0;
    const closed = new Promise((done) => mine.once('close', done));
    mine.on('connect', () => {
      mine.write(
        connectPacket(clientId, env['MQTT_USERNAME'] ?? '', env['MQTT_PASSWORD'] ?? '', 600),
        'latin1',
      );
    });
    // After the four bytes of CONNACK come PUBACKs of four bytes, nothing else.
    let rest = Buffer.alloc(0);
    mine.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      let at = 0;
      for (; at + 4 <= rest.length; at += 4) {
        if (rest[at] === 0x20 && rest[at + 3] === 0) socket = mine;
        const id = rest[at] === 0x40 ? rest.readUInt16BE(at + 2) : 0;
        const message = underWay.get(id);
        if (message !== undefined) message.acknowledged = true;
        underWay.delete(id);
      }
      rest = rest.subarray(at);
      flush();
    });
    await closed;
    socket = undefined;
    const again = [...underWay.values()];
    underWay.clear();
    // A second copy of a message without time would be another message.
    for (const message of again) if (!message.timed) message.unsure = true;
    spool = [...again.filter(({ timed }) => timed), ...spool];
  }

  const running = (async () => {
    for (; !life.stopped; await sleep(300)) await connection();
  })();

  return {
    queue(message) {
      (kept ?? spool).push(message);
      flush();
    },
    waiting: () => spool.length + underWay.size + (kept?.length ?? 0),
    async hold() {
      kept = [];
      while (spool.length + underWay.size > 0) await sleep(50);
    },
    release() {
      spool.push(...(kept ?? []));
      kept = undefined;
      flush();
    },
    async stop() {
      life.stopped = true;
      socket?.end(disconnectPacket, 'latin1');
      await running;
    },
  };
}
