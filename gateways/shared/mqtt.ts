// The gateways' only MQTT client: confirmed publishing, retained messages, last will, subscriptions. It keeps no backlog.
import {
  connect,
  type IConnackPacket,
  type IDisconnectPacket,
  type IClientOptions,
  type MqttClient,
} from 'mqtt';
import { bounded } from '../../contract/runtime/boundary.ts';
import { within } from '../../contract/deadline.ts';
import { pubacks } from '../../contract/puback.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Link, LinkOptions } from './link.ts';
import { createVersionChoice } from './protocol-version.ts';
import { createRefusalTeller, refusalOf } from './refused-publish.ts';
import { createRetained } from './retained.ts';
import { createSessionWatch } from './session-watch.ts';
import { createWindow } from './window.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions.ts';

/** MQTT.js goes on WITHOUT acknowledging when handleMessage calls back with an error, see connector/sources/mqtt-source.ts. */
const notYet = new Error('acknowledged when it is done');
/** Reason code of MQTT 5, section 3.14.2.1. */
const sessionTakenOver = 0x8e;
/** A gateway that stays away longer loses what a broker keeps for it. */
const sessionExpirySeconds = 30 * 24 * 3600;

/** Connects in the background and for ever; nothing here waits for the broker. */
export function connectLink(options: LinkOptions): Link {
  const { logger } = options;
  const subscriptions = createSubscriptions();
  const listeners: (() => void)[] = [];
  const troubled: ((what: string, detail: string | undefined) => void)[] = [];
  const tell = (what: string, detail: string | undefined) => {
    for (const listener of troubled) listener(what, detail);
  };
  const refusals = createRefusalTeller(tell);
  const window = createWindow();

  const client = connect(options.url, clientOptions(options));
  const send = (topic: string, payload: string, retain: boolean, done: (error: unknown) => void) =>
    window.run((over) => {
      client.publish(topic, payload, { qos: 1, retain }, (error) => {
        over();
        refusals.settled(topic, error);
        done(error);
      });
    });
  const retained = createRetained(
    (topic, payload, done) => send(topic, payload, true, (error) => session.isClosing() || done(error)),
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
  const session = follow(client, options, {
    onTrouble: (detail) => tell('session', detail),
    onConnect: (receiveMaximum) => {
      window.setLimit(receiveMaximum);
      // A broker without persistence has forgotten everything.
      retained.sendAll();
      for (const filter of subscriptions.filters()) subscribeTo(filter);
      for (const listener of listeners) listener();
    },
  });
  receive(client, subscriptions, session.connection, logger);

  return {
    isReady: session.isReady,
    publish: (topic, payload, settle) => {
      // Across a lost connection MQTT.js keeps the message and sends it again; the callback comes with the PUBACK.
      send(topic, payload, false, (error) => {
        const refused = refusalOf(error);
        if (refused !== undefined) settle({ refused });
        else settle(error == null ? 'acknowledged' : 'unsent');
      });
    },
    retain: (topic, payload) => {
      retained.set(topic, payload);
      if (session.isReady()) retained.sendNew();
    },
    say: (topic, payload) => {
      if (!session.isReady()) return;
      send(topic, payload, false, (error) => {
        if (error != null) logger.warn({ topic, error: messageOf(error) }, 'not published');
      });
    },
    subscribe: (filter, onMessage) => {
      subscriptions.add(filter, onMessage);
      if (session.isReady()) subscribeTo(filter);
    },
    onReady: (listener) => void listeners.push(listener),
    onTrouble: (listener) => void troubled.push(listener),
    counts: () => ({ refused: refusals.count(), takenOver: session.takenOver() }),
    close: async () => {
      session.close();
      const deadline = performance.now() + 1000;
      while (session.isReady() && window.open() > 0 && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 10));
      // Without a goodbye the broker would say our last will; with something unconfirmed a goodbye never ends.
      // A failure of it at the end of a process is of no interest.
      const ended = client.endAsync(!session.isReady() || window.open() > 0).catch(() => undefined);
      await within(1000, ended, () => undefined);
    },
  };
}

interface Session {
  isReady: () => boolean;
  isClosing: () => boolean;
  /** Number of the connection: packet ids mean nothing on another one. */
  connection: () => number;
  takenOver: () => number;
  /** It ends on purpose from now on. */
  close: () => void;
}

/** Follows the connection through its lives: which version the broker speaks, who ends it, how long to wait before the next. */
function follow(
  client: MqttClient,
  { clientId, logger }: LinkOptions,
  events: {
    onConnect: (receiveMaximum: number) => void;
    onTrouble: (detail: string | undefined) => void;
  },
): Session {
  const versions = createVersionChoice();
  const watch = createSessionWatch(clientId, logger, (detail) => {
    if (detail !== undefined) logger.error({ client_id: clientId }, detail);
    events.onTrouble(detail);
  });
  // `client.connected` is true already while MQTT.js repeats old messages after a reconnect; what is published in that
  // phase fails if the connection breaks again. So: only between its 'connect' and 'close' events.
  let ready = false;
  /** The broker, or the system, has said something about this connection. */
  let heard = false;
  let closing = false;
  let connection = 0;
  let takenOver = 0;
  let lastError = '';

  const onConnect = ({ properties }: IConnackPacket) => {
    ready = true;
    heard = true;
    connection++;
    watch.connected();
    logger.info({ mqtt: client.options.protocolVersion }, 'broker connected');
    events.onConnect(properties?.receiveMaximum ?? 65_535);
  };
  const onError = (error: Error) => {
    heard = true;
    if (versions.refused((error as { code?: unknown }).code))
      logger.warn('the broker speaks MQTT 3.1.1 only: it cannot say when it refuses a message');
    else if (messageOf(error) !== lastError)
      logger.warn({ error: messageOf(error) }, 'broker not reachable, trying on');
    lastError = messageOf(error);
  };
  const onDisconnect = ({ reasonCode }: IDisconnectPacket) => {
    if (reasonCode !== sessionTakenOver) return;
    takenOver++;
    watch.takenOver();
  };
  const onClose = () => {
    if (ready && !closing) {
      logger.warn('broker connection lost');
      watch.lost();
      versions.ended();
    }
    if (!heard) versions.silent();
    if (ready) lastError = '';
    ready = false;
    heard = false;
    client.options.protocolVersion = versions.version();
    client.options.reconnectPeriod = watch.reconnectMs();
  };
  client.on('connect', bounded(logger, 'broker connection', onConnect));
  client.on('error', bounded(logger, 'broker error', onError));
  client.on('disconnect', bounded(logger, 'broker connection', onDisconnect));
  client.on('close', bounded(logger, 'broker connection', onClose));
  return {
    isReady: () => ready,
    isClosing: () => closing,
    connection: () => connection,
    takenOver: () => takenOver,
    close: () => {
      closing = true;
      watch.close();
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
    protocolVersion: 5,
    ...(keepSession === true ? { properties: { sessionExpiryInterval: sessionExpirySeconds } } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    keepalive: 30,
    reconnectPeriod: 500 + Math.floor(Math.random() * 1000),
    // Rights may be given later: keep trying.
    reconnectOnConnackError: true,
    resubscribe: false,
    ...(will === undefined
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1 as const, retain: true } }),
  };
}
