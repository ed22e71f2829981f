// Brokers for gateway tests: the test stack's Mosquitto when it runs, and an aedes that tests may stop at will.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import { noBroker, stackEnv } from '../../support/stack.ts';

export interface Broker {
  name: string;
  url: string;
  username?: string;
  password?: string;
  stop(): Promise<void>;
}

export interface OwnBroker extends Broker {
  port: number;
  /** Cuts one client's connection without a goodbye. */
  cutClient(clientId: string): void;
  /** How many clients have ever connected. */
  clients(): number;
}

/** An aedes on a port of 127.0.0.1; 0 takes any free one. Nothing survives its stop. */
export async function startOwnBroker(port = 0): Promise<OwnBroker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  const connections = new Map<string, { destroy(): unknown }>();
  let clients = 0;
  aedes.on('client', (client) => {
    clients += 1;
    connections.set(client.id, client.conn);
  });
  return {
    name: 'aedes',
    url: `mqtt://127.0.0.1:${address.port}`,
    port: address.port,
    clients: () => clients,
    cutClient: (clientId) => connections.get(clientId)?.destroy(),
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      sockets.forEach((socket) => socket.destroy());
      await closed;
      // aedes waits for ever for a client whose connection broke at the wrong moment.
      const ended = new Promise<void>((resolve) => aedes.close(() => resolve()));
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500))]);
    },
  };
}

/** The test stack's broker if it answers, else an own one. */
export async function anyBroker(): Promise<Broker> {
  const access = stackAccess();
  if (access !== undefined && (await answers(access))) {
    return { name: 'stack', ...access, stop: () => Promise.resolve() };
  }
  return startOwnBroker();
}

function stackAccess() {
  try {
    if (noBroker() !== false) return undefined;
    const { MQTT_URL: url, MQTT_USERNAME: username, MQTT_PASSWORD: password } = stackEnv();
    if (url === undefined || username === undefined || password === undefined) return undefined;
    return { url, username, password };
  } catch {
    // The stack has never been up.
    return undefined;
  }
}

/** False too when the stack was set up anew and the secrets on disk are old. */
async function answers({ url, username, password }: { url: string; username: string; password: string }) {
  try {
    const client = await connectAsync(
      url,
      { username, password, reconnectPeriod: 0, connectTimeout: 2000 },
      false,
    );
    await client.endAsync(true);
    return true;
  } catch {
    return false;
  }
}

export interface Seen {
  topic: string;
  text: string;
  retained: boolean;
}

export interface Watch {
  seen: Seen[];
  close(): Promise<void>;
}

/** Collects everything below a topic; reconnects and subscribes again after a broker restart. */
export async function watch(broker: Broker, filter: string): Promise<Watch> {
  const client = await connectAsync(broker.url, {
    clientId: `watch-${Math.random().toString(36).slice(2)}`,
    reconnectPeriod: 50,
    ...(broker.username === undefined ? {} : { username: broker.username }),
    ...(broker.password === undefined ? {} : { password: broker.password }),
  });
  const seen: Seen[] = [];
  client.on('error', () => undefined);
  client.on('message', (topic, payload, packet) => {
    seen.push({ topic, text: payload.toString(), retained: packet.retain });
  });
  await client.subscribeAsync(filter, { qos: 1 });
  return {
    seen,
    close: async () => {
      if (broker.name === 'stack') {
        // What is retained would stay on the shared broker for ever.
        const statuses = new Set(seen.map(({ topic }) => topic).filter((topic) => topic.endsWith('/status')));
        for (const topic of statuses) await client.publishAsync(topic, '', { retain: true, qos: 1 });
      }
      await client.endAsync(true);
    },
  };
}

/** Polls a condition; throws after half a minute, naming what did not happen. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
