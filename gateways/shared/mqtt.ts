// The gateways' only MQTT client: confirmed publishing, retained messages, last will, subscriptions. It keeps no backlog.
import { connect } from 'mqtt';
import { bounded } from '../../contract/runtime/boundary.ts';
import { within } from '../../contract/deadline.ts';
import { pubacks } from '../../contract/puback.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { messageOf } from '../../contract/errors.ts';

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

/** Takes a message. */
type OnMessage = (topic: string, payload: Buffer) => void | Promise<void>;

/** MQTT.js goes on WITHOUT acknowledging when handleMessage calls back with an error, see connector/sources/mqtt-source.ts. */
const notYet = new Error('acknowledged when it is done');

/** Connects in the background and for ever; nothing here waits for the broker. */
export function connectLink(options: LinkOptions): Link {
  const { logger, will } = options;
  const retained = new Map<string, string>();
  const unsent = new Set<string>();
  const subscriptions = new Map<string, OnMessage>();
  const listeners: (() => void)[] = [];
  // `client.connected` is true already while MQTT.js repeats old messages after a reconnect; what is published in that
  // phase fails if the connection breaks again. So: only between its 'connect' and 'close' events.
  let ready = false;
  let closing = false;
  /** Published and not confirmed. */
  let open = 0;

  const client = connect(options.url, {
    clientId: options.clientId,
    clean: options.keepSession !== true,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    keepalive: 30,
    // Jitter, so that the gateways of a farm do not come back all at once.
    reconnectPeriod: 500 + Math.floor(Math.random() * 1000),
    // Rights may be given later: keep trying.
    reconnectOnConnackError: true,
    resubscribe: false,
    ...(will === undefined
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1 as const, retain: true } }),
  });

  const publishRetained = (topic: string) => {
    unsent.delete(topic);
    open++;
    client.publish(topic, retained.get(topic) ?? '', { qos: 1, retain: true }, (error) => {
      open--;
      if (error == null || closing) return;
      logger.warn({ topic, error: messageOf(error) }, 'status not published');
      unsent.add(topic);
    });
  };
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
    for (const topic of retained.keys()) publishRetained(topic);
    for (const filter of subscriptions.keys()) subscribeTo(filter);
    for (const listener of listeners) listener();
  };
  client.on('connect', bounded(logger, 'broker connection', onConnect));
  client.handleMessage = ({ topic, payload, messageId, qos }, callback) => {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const works = [...subscriptions]
      .filter(([filter]) => fits(filter, topic))
      .map(([, onMessage]) => begun(() => onMessage(topic, bytes)))
      .filter((work) => work !== undefined);
    const received = connection;
    const isLater = works.length > 0 && qos === 1 && messageId !== undefined;
    if (isLater) callback(notYet);
    else callback();
    const acknowledge = () => {
      if (isLater && received === connection && client.connected) client.stream.write(pubacks([messageId]));
    };
    // Without an acknowledgement the message comes again with the next connection.
    Promise.all(works).then(acknowledge, (error: unknown) => {
      logger.error({ topic, error: messageOf(error) }, 'message not taken');
    });
  };
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
      open++;
      client.publish(topic, payload, { qos: 1 }, (error) => {
        open--;
        settle(error == null);
      });
    },
    retain: (topic, payload) => {
      retained.set(topic, payload);
      unsent.add(topic);
      if (ready) for (const waiting of unsent) publishRetained(waiting);
    },
    say: (topic, payload) => {
      if (!ready) return;
      open++;
      client.publish(topic, payload, { qos: 1 }, (error) => {
        open--;
        if (error != null) logger.warn({ topic, error: messageOf(error) }, 'not published');
      });
    },
    subscribe: (filter, onMessage) => {
      subscriptions.set(filter, onMessage);
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

/** What a handler throws at once is what its promise rejects with. */
function begun(work: () => void | Promise<void>): void | Promise<void> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

/** Whether a topic is in a subscription filter. */
function fits(filter: string, topic: string): boolean {
  const [wanted, levels] = [filter.split('/'), topic.split('/')];
  for (const [index, word] of wanted.entries()) {
    if (word === '#') return true;
    if (word !== '+' && word !== levels[index]) return false;
    if (levels[index] === undefined) return false;
  }
  return wanted.length === levels.length;
}
