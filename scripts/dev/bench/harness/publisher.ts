// A QoS 1 publisher that costs little: packets made as text, many in one write, a window of unacknowledged ones.
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { connectPacket, disconnectPacket, publishPacket } from './mqtt-packets.ts';

/** A message to publish; ASCII. */
export interface Outgoing {
  topic: string;
  payload: string;
}

/** One connection to the broker. */
export interface Publisher {
  /** Publishes so many messages of `next`; resolves when they are written and at most a window is unacknowledged. */
  publish: (count: number, next: () => Outgoing) => Promise<void>;
  /** Waits until the broker has acknowledged everything. */
  acknowledged: () => Promise<void>;
  close: () => void;
}

const window = 10_000;
const perWrite = 100;

/** Connects. Throws when the broker refuses or closes. */
export async function openPublisher(
  env: Readonly<Record<string, string>>,
  clientId: string,
): Promise<Publisher> {
  const url = new URL(env['MQTT_URL'] ?? '');
  const socket = connect(Number(url.port), url.hostname);
  socket.setNoDelay(true);
  await once(socket, 'connect');
  socket.write(
    connectPacket(clientId, env['MQTT_USERNAME'] ?? '', env['MQTT_PASSWORD'] ?? '', 600),
    'latin1',
  );
  await connack(socket);

  let sent = 0;
  let ackBytes = 0;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const open = () => sent - Math.floor(ackBytes / pubackBytes);
  socket.on('data', (data) => {
    ackBytes += data.length;
    wake?.();
  });
  socket.on('error', (error) => (failure = error));
  socket.on('close', () => {
    failure ??= new Error(`the broker closed the connection of ${clientId}`);
    wake?.();
  });
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve) => (wake = resolve));
    }
    wake = undefined;
  };

  return {
    async publish(count, next) {
      for (let left = count; left > 0; left -= perWrite) {
        await until(() => open() < window);
        let text = '';
        for (let index = Math.min(left, perWrite); index > 0; index--) {
          const { topic, payload } = next();
          text += publishPacket(topic, (sent % 65_535) + 1, payload);
          sent += 1;
        }
        socket.write(text, 'latin1');
      }
    },
    acknowledged: () => until(() => open() === 0),
    close: () => socket.end(disconnectPacket, 'latin1'),
  };
}

/** Broker to publisher, nothing but PUBACKs of four bytes come in. */
const pubackBytes = 4;

async function connack(socket: Socket): Promise<void> {
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (answer[0] !== 0x20 || answer[3] !== 0)
    throw new Error(`the broker refuses the login (code ${answer[3] ?? '?'})`);
}
