// The gateways' only MQTT client: confirmed publishing, retained messages, last will, subscriptions. It keeps no backlog.
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { bounded } from '../../contract/runtime/boundary.ts';
import { within } from '../../contract/deadline.ts';
import { pubacks } from '../../contract/puback.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { messageOf } from '../../contract/errors.ts';
import { createRetained } from './retained.ts';
import { createSubscriptions, type OnMessage, type Subscriptions } from './subscriptions.ts';

export interface LinkOptions {
  url: string;
  username: string | undefined;
  password: string | undefined;
  clientId: string;
  /** What the broker says for us, retained, when we are gone without a goodbye. */
  will?: { topic: string; payload: string };
  /** The broker keeps what comes for our subscriptions while we are away. */
  keepSession?: boolean;
  logger: Logger;
}

export interface Link {
  isReady(): boolean;
  /**
   * Publishes with QoS 1. `settle` is called once: true with the broker's acknowledgement (also when that comes after a
   * reconnect), false when the message has to be sent again. Only while ready.
   */
  publish(topic: string, payload: string, settle: (acknowledged: boolean) => void): void;
  /** Sets a retained message; only the latest one of a topic is sent, and again after every reconnect. */
  retain(topic: string, payload: string): void;
  /** Not retained, not kept while the broker is away. */
  say(topic: string, payload: string): void;
  /** Subscribes now and after every reconnect. A message is acknowledged when `onMessage`, and what it promises, is done. */
  subscribe(filter: string, onMessage: OnMessage): void;
  onReady(listener: () => void): void;
  /** Says the last retained messages if there is a connection, and disconnects. */
  close(): Promise<void>;
}

/** MQTT.js goes on WITHOUT acknowledging when handleMessage calls back with an error, see connector/sources/mqtt-source.ts. */
const notYet = new Error('acknowledged when it is done');

/** Connects in the background and for ever; nothing here waits for the broker. */
export function connectLink(options: LinkOptions): Link {
  const { logger } = options;
  const subscriptions = createSubscriptions();
  const listeners: (() => void)[] = [];
  // `client.connected` is true already while MQTT.js repeats old messages after a reconnect; what is published in that
  // phase fails if the connection breaks again. So: only between its 'connect' and 'close' events.
  let ready = false;
  let closing = false;
  /** Published and not confirmed. */
  let open = 0;

  const client = connect(options.url, clientOptions(options));
  const send = (topic: string, payload: string, retain: boolean, done: (error: unknown) => void) => {
    open++;
    client.publish(topic, payload, { qos: 1, retain }, (error) => {
      open--;
      done(error);
    });
  };
  const retained = createRetained(
    (topic, payload, done) => send(topic, payload, true, (error) => closing || done(error)),
    logger,
  );
  const subscribeTo = (filter: string) => {
    client.subscribe(filter, { qos: 1 }, (error, granted) => {
      const refused = granted?.some(({ qos }) => (qos as number) >= 128) === true;
      if (error != null || refused)
        logger.warn(
          { filter, error: error == null ? 'refused' : messageOf(error) },
          'not subscribed; may this account read there?',
        );
    });
  };

  // Packet ids mean nothing on another connection.
  let connection = 0;
  const onConnect = () => {
    ready = true;
    connection++;
    logger.info('broker connected');
    // A broker without persistence has forgotten everything.
    retained.sendAll();
    for (const filter of subscriptions.filters()) subscribeTo(filter);
    for (const listener of listeners) listener();
  };
  client.on('connect', bounded(logger, 'broker connection', onConnect));
  receive(client, subscriptions, () => connection, logger);
  let lastError = '';
  const onError = (error: Error) => {
    if (messageOf(error) !== lastError)
      logger.warn({ error: messageOf(error) }, 'broker not reachable, trying on');
    lastError = messageOf(error);
  };
  client.on('error', bounded(logger, 'broker error', onError));
  const onClose = () => {
    if (ready && !closing) logger.warn('broker connection lost');
    if (ready) lastError = '';
    ready = false;
  };
  client.on('close', bounded(logger, 'broker connection', onClose));

  return {
    isReady: () => ready,
    publish: (topic, payload, settle) => {
      // Across a lost connection MQTT.js keeps the message and sends it again; the callback comes with the PUBACK.
      send(topic, payload, false, (error) => settle(error == null));
    },
    retain: (topic, payload) => {
      retained.set(topic, payload);
      if (ready) retained.sendNew();
    },
    say: (topic, payload) => {
      if (!ready) return;
      send(topic, payload, false, (error) => {
        if (error != null) logger.warn({ topic, error: messageOf(error) }, 'not published');
      });
    },
    subscribe: (filter, onMessage) => {
      subscriptions.add(filter, onMessage);
      if (ready) subscribeTo(filter);
    },
    onReady: (listener) => void listeners.push(listener),
    close: async () => {
      closing = true;
      const deadline = performance.now() + 1000;
      while (ready && open > 0 && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 10));
      // Without a goodbye the broker would say our last will; with something unconfirmed a goodbye never ends.
      // A failure of it at the end of a process is of no interest.
      const ended = client.endAsync(!ready || open > 0).catch(() => undefined);
      await within(1000, ended, () => undefined);
      ready = false;
    },
  };
}

/** Hands over what comes, and acknowledges it when it is done, on the connection that it came by. */
function receive(
  client: MqttClient,
  subscriptions: Subscriptions,
  connection: () => number,
  logger: Logger,
): void {
  client.handleMessage = ({ topic, payload, messageId, qos }, callback) => {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const works = subscriptions.deliver(topic, bytes);
    const received = connection();
    const isLater = works.length > 0 && qos === 1 && messageId !== undefined;
    if (isLater) callback(notYet);
    else callback();
    const acknowledge = () => {
      if (isLater && received === connection() && client.connected) client.stream.write(pubacks([messageId]));
    };
    // Without an acknowledgement the message comes again with the next connection.
    Promise.all(works).then(acknowledge, (error: unknown) => {
      logger.error({ topic, error: messageOf(error) }, 'message not taken');
    });
  };
}

function clientOptions({ clientId, keepSession, username, password, will }: LinkOptions): IClientOptions {
  return {
    clientId,
    clean: keepSession !== true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    keepalive: 30,
    // Jitter, so that the gateways of a farm do not come back all at once.
    reconnectPeriod: 500 + Math.floor(Math.random() * 1000),
    // Rights may be given later: keep trying.
    reconnectOnConnackError: true,
    resubscribe: false,
    ...(will === undefined
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1 as const, retain: true } }),
  };
}
