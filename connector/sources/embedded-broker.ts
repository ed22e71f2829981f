// The embedded broker for a one-box farm PC: aedes inside this process. A device's PUBACK is sent after the commit.
import { createServer } from 'node:net';
import { bounded } from '../../contract/runtime/boundary.ts';
import { listenOn } from '../../contract/runtime/listen.ts';
import { isSameSecret } from '../../contract/runtime/secret.ts';
import { Aedes, type Client } from 'aedes';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Connection } from './message.ts';
import type { MessageSink } from './mqtt-source.ts';
import { isAccount, type Accounts } from './password-file.ts';

/** Return code of MQTT 3.1.1, section 3.2.2.3. */
const identifierRejected = 2;

/** Who may connect, and where. */
export interface EmbeddedBrokerOptions {
  port: number;
  /** The account that may have any client id: the administrator's. */
  username: string;
  password: string;
  /** Accounts of programs and devices: each connects under its own name only, so that nobody takes over another's session. */
  accounts?: Accounts;
  /** Topic filters of what is for the connector, each `word/#`; other topics are passed on between clients only. */
  filters: readonly string[];
  /** Topics with a retained message: they stay in memory, and who has the account can make up any number. */
  maxRetained: number;
}

/** Starts the broker on loopback; resolves when it listens. Messages reach the sink before the publisher is acknowledged. */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions, sink: MessageSink, logger: Logger) {
  const roots = options.filters.map((filter) => filter.replace(/#$/, ''));
  const connections = new WeakMap<object, Connection>();
  const isRetained = createRetainedQuota(options.maxRetained, logger);
  const connectionOf = (client: Client) => {
    const connection = connections.get(client) ?? newConnection(client.id);
    connections.set(client, connection);
    connection.heardAt = Date.now();
    return connection;
  };
  const broker = await Aedes.createBroker({
    authenticate: (client, username = '', password, done) => {
      const given = password?.toString() ?? '';
      if (isSameSecret(username, options.username) && isSameSecret(given, options.password))
        return done(null, true);
      if (!isAccount(options.accounts ?? new Map(), username, given)) return done(null, false);
      if (client.id === username) return done(null, true);
      logger.warn(
        { client_id: client.id, account: username },
        'MQTT client refused: its client id has to be the name of its account',
      );
      done(Object.assign(new Error('identifier rejected'), { returnCode: identifierRejected }), null);
    },
    authorizePublish: (client, packet, done) => {
      const { topic, messageId } = packet as { topic: string; messageId?: number };
      if (topic.startsWith('$')) return done(new Error('not allowed'));
      // Beyond the quota it is a message like any other: passed on, and not kept for later subscribers.
      if (packet.retain && !isRetained(topic, packet.payload.length)) packet.retain = false;
      if (!roots.some((root) => topic.startsWith(root))) return done(null);
      if (sink.isFull()) return done(new Error('busy: the database does not keep up'));
      sink.push({
        topic,
        payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
        arrivedAt: Date.now(),
        origin:
          client !== null && packet.qos > 0 && messageId !== undefined
            ? `${client.id}:${messageId}`
            : undefined,
        redelivered: packet.dup,
        ...(client === null ? {} : { connection: connectionOf(client) }),
        settle: () => done(null),
      });
    },
  });
  const server = createServer(bounded(logger, 'MQTT connection', broker.handle));
  await listenOn(server, { host: '127.0.0.1', port: options.port }, logger, 'embedded MQTT broker');
  logger.info({ port: options.port }, 'embedded MQTT broker listens');
  return {
    publish: (topic: string, payload: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const packet = { cmd: 'publish', qos: 1, topic, payload, dup: false, retain: false } as const;
        broker.publish(packet, (error) => (error == null ? resolve() : reject(error)));
      }),
    async stop(): Promise<void> {
      server.close();
      await new Promise<void>((resolve) => broker.close(resolve));
    },
  };
}

/** Whether a retained message is kept: a known topic always is, one without content gives its place back. */
function createRetainedQuota(max: number, logger: Logger): (topic: string, size: number) => boolean {
  const topics = new Set<string>();
  let isTold = false;
  return (topic, size) => {
    if (size === 0) topics.delete(topic);
    else if (topics.size < max || topics.has(topic)) topics.add(topic);
    else {
      if (!isTold)
        logger.warn({ topic, max }, 'no more retained messages are kept (mqtt.embedded_max_retained)');
      isTold = true;
      return false;
    }
    return true;
  };
}

/** How many messages a device has unacknowledged is the device's own matter. */
const newConnection = (client: string): Connection => ({
  client,
  delivered: 0,
  heardAt: 0,
  window: undefined,
});
