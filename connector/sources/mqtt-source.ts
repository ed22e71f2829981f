// The connector's only MQTT client: QoS 1 with acknowledgement after commit.
//
// MQTT.js hands over one message at a time and sends PUBACK when `handleMessage` calls back. Calling back with an error
// makes it go on WITHOUT acknowledging. The PUBACKs of a committed batch are written straight to the client's stream.
// test/connector/sources/mqtt-source.test.ts fails if a version of the library changes this.
import { connect, connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { bounded } from '../../contract/runtime/boundary.ts';
import { pubacks } from '../../contract/puback.ts';
import { AppError, messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Connection, IncomingMessage } from './message.ts';

/** How to reach the broker. */
export interface MqttSourceOptions {
  url: string;
  username: string;
  password: string;
  clientId: string;
  /** Topic filters. */
  filters: readonly string[];
  /** Most messages that are under way unacknowledged (MQTT 5 receive maximum). */
  receiveMaximum: number;
}

/** Where messages go, and whether there is room. */
export interface MessageSink {
  push(message: IncomingMessage): void;
  isFull(): boolean;
  onDrain(callback: () => void): void;
}

/** The subscriber. `pause` disconnects cleanly: the broker keeps what arrives for this client id. */
export interface MqttSource {
  start(): void;
  pause(): Promise<void>;
  status(): { ok: boolean; detail: string };
  /**
   * Publishes with QoS 1; resolves when the broker has it, who forgets what is not delivered within `expirySeconds`.
   * Throws AppError `transient` without a connection.
   */
  publish?: (topic: string, payload: string, expirySeconds: number) => Promise<void>;
}

const notYet = new Error('acknowledged after commit');
const sessionExpirySeconds = 30 * 24 * 3_600;
/** Reason code of MQTT 5, section 3.14.2.1. */
const sessionTakenOver = 0x8e;

/** Makes a subscriber; nothing happens before start(). */
export function createMqttSource(options: MqttSourceOptions, sink: MessageSink, logger: Logger): MqttSource {
  let client: MqttClient | undefined;
  let status = { ok: false, detail: 'not connected yet' };
  const setStatus = (ok: boolean, detail: string) => {
    if (status.ok !== ok || status.detail !== detail) logger.info({ ok, detail }, 'mqtt');
    status = { ok, detail };
  };

  function start(): void {
    if (client !== undefined) return;
    const mine = connect(options.url, clientOptions(options));
    client = mine;
    // Packet ids mean nothing on another connection; an acknowledgement that comes too late is left out.
    let connection = newConnection(options);
    const acknowledge = collect((ids) => {
      if (mine.stream.writable) mine.stream.write(pubacks(ids));
    });
    const onConnect = () => {
      connection = newConnection(options);
      // Retained messages only with a subscription that is new: after a reconnect they would be told as news.
      mine.subscribe([...options.filters], { qos: 1, rh: 1 }, (error, granted) => {
        const refused = granted?.filter(({ qos }) => qos > 2).map(({ topic }) => topic) ?? [];
        if (error !== null) setStatus(false, `cannot subscribe: ${error.message}`);
        else if (refused.length > 0)
          setStatus(false, `the broker refuses ${refused.join(', ')}; check its ACL`);
        else setStatus(true, 'connected');
      });
    };
    mine.on('connect', bounded(logger, 'mqtt: connect', onConnect));
    mine.on('error', (error) => setStatus(false, connectionTrouble(error)));
    const onDisconnect = ({ reasonCode }: { reasonCode?: number | undefined }) => {
      if (reasonCode === sessionTakenOver)
        setStatus(
          false,
          `another client connects as '${options.clientId}' and ends this connection: connectors on different databases need an mqtt.client_id each`,
        );
    };
    mine.on('disconnect', bounded(logger, 'mqtt: disconnect', onDisconnect));
    const onClose = () => {
      if (status.ok) setStatus(false, 'connection to the broker lost, trying again');
    };
    mine.on('close', bounded(logger, 'mqtt: close', onClose));
    const push = bounded(logger, 'mqtt: message', (message: IncomingMessage) => sink.push(message));
    mine.handleMessage = (packet, callback) => {
      const { messageId, qos } = packet;
      const received = connection;
      received.heardAt = Date.now();
      if (!packet.dup) received.delivered += 1;
      const take = () => {
        // While it waited for room the connection may have ended: the broker sends it again on the next one.
        if (received === connection)
          push({
            topic: packet.topic,
            payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
            arrivedAt: Date.now(),
            origin: qos > 0 && messageId !== undefined ? `${options.clientId}:${messageId}` : undefined,
            redelivered: packet.dup,
            connection: received,
            retained: packet.retain,
            settle: () => {
              if (qos === 1 && messageId !== undefined && received === connection && mine.connected)
                acknowledge(messageId);
            },
          });
        callback(notYet);
      };
      if (sink.isFull()) sink.onDrain(take);
      else take();
    };
  }

  return {
    start,
    async pause() {
      const mine = client;
      client = undefined;
      if (mine === undefined) return;
      setStatus(false, 'paused');
      await mine.endAsync(!mine.connected).catch((error: unknown) => {
        logger.warn({ error: messageOf(error) }, 'mqtt: disconnect failed');
      });
    },
    status: () => status,
    async publish(topic, payload, expirySeconds) {
      if (client?.connected !== true) throw new AppError('transient', `mqtt: ${status.detail}`);
      const properties = { messageExpiryInterval: expirySeconds };
      await client.publishAsync(topic, payload, { qos: 1, properties });
    },
  };
}

/** A connection that only publishes. It is made with the first message and ends with stop(). */
export interface MqttPublisher {
  publish: NonNullable<MqttSource['publish']>;
  stop(): Promise<void>;
}

/** For a process that gets its messages elsewhere. `clientId` has to be its own: another connection with it is ended. */
export function createMqttPublisher(
  options: Pick<MqttSourceOptions, 'url' | 'username' | 'password' | 'clientId'>,
): MqttPublisher {
  let connection: Promise<MqttClient> | undefined;
  async function open(): Promise<MqttClient> {
    const { url, username, password, clientId } = options;
    // Without reconnecting by itself: what waits in a queue would be published hours later.
    const settings = {
      clientId,
      username,
      password,
      protocolVersion: 5,
      keepalive: 30,
      reconnectPeriod: 0,
    } as const;
    const client = await connectAsync(url, settings, false);
    client.on('error', () => undefined);
    const onClose = () => {
      connection = undefined;
      client.end(true);
    };
    client.on('close', onClose);
    return client;
  }
  return {
    async publish(topic, payload, expirySeconds) {
      try {
        connection ??= open();
        const properties = { messageExpiryInterval: expirySeconds };
        await (await connection).publishAsync(topic, payload, { qos: 1, properties });
      } catch (error) {
        connection = undefined;
        throw new AppError('transient', `not published: ${messageOf(error)}`, { cause: error });
      }
    },
    async stop() {
      const client = await connection?.catch(() => undefined);
      await client?.endAsync();
    },
  };
}

const newConnection = ({ clientId, receiveMaximum }: MqttSourceOptions): Connection => ({
  client: clientId,
  delivered: 0,
  heardAt: 0,
  window: receiveMaximum,
});

function clientOptions(options: MqttSourceOptions): IClientOptions {
  return {
    clientId: options.clientId,
    username: options.username,
    password: options.password,
    protocolVersion: 5,
    clean: false,
    keepalive: 30,
    reconnectPeriod: 1_000,
    connectTimeout: 10_000,
    properties: { sessionExpiryInterval: sessionExpirySeconds, receiveMaximum: options.receiveMaximum },
  };
}

/** Collects the ids of one turn: a batch settles its messages in a row, and one write costs less than thousands. */
function collect(flush: (ids: readonly number[]) => void): (id: number) => void {
  let ids: number[] = [];
  return (id) => {
    if (ids.push(id) > 1) return;
    queueMicrotask(() => {
      const collected = ids;
      ids = [];
      flush(collected);
    });
  };
}

function connectionTrouble(error: Error & { code?: number | string }): string {
  if (error.code === 134 || error.code === 135 || error.code === 4 || error.code === 5) {
    return `the broker refuses the login: ${error.message}; check MQTT_USERNAME and MQTT_PASSWORD`;
  }
  return `broker not reachable: ${messageOf(error)}`;
}
