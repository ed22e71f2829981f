// The gateways' only MQTT client: confirmed QoS-1 publishing from a bounded queue, retained status and last will.
import { connect } from 'mqtt';
import type { Logger } from '../../contract/runtime/logger.ts';
import { messageOf } from '../../contract/errors.ts';

export interface PublisherOptions {
  url: string;
  username: string | undefined;
  password: string | undefined;
  clientId: string;
  /** Most messages that wait in memory while the broker is away; beyond it the oldest are dropped and counted. */
  queueLimit: number;
  /** Retained topic that says whether this gateway lives, with what to say at birth, at an orderly end and as last will. */
  presence: { topic: string; online: () => string; offline: () => string; will: string };
  logger: Logger;
}

export interface PublisherCounts {
  acknowledged: number;
  dropped: number;
  waiting: number;
}

export interface Publisher {
  /** Queues a message; resolves true when the broker confirmed it, false when it was dropped. Never rejects. */
  send(topic: string, payload: string): Promise<boolean>;
  /** Sets a retained message; only the latest one of a topic is sent. */
  retain(topic: string, payload: string): void;
  counts(): PublisherCounts;
  /** Delivers what waits for at most `drainMs`, says goodbye and disconnects. */
  close(drainMs?: number): Promise<void>;
}

interface Entry {
  number: number;
  topic: string;
  payload: string;
  settle: (acknowledged: boolean) => void;
}

/** Messages on their way to the broker without its PUBACK. */
const inFlightLimit = 100;

/** Connects in the background and for ever; nothing here waits for the broker. */
export function connectPublisher(options: PublisherOptions): Publisher {
  const { logger, presence, queueLimit } = options;
  const queue: Entry[] = [];
  const retained = new Map<string, string>();
  // `client.connected` is true already while MQTT.js repeats old messages after a reconnect; what is published in that
  // phase fails if the connection breaks again. So: only between its 'connect' and 'close' events.
  let ready = false;
  let closing = false;
  let sent = 0;
  let inFlight = 0;
  let acknowledged = 0;
  let dropped = 0;
  let droppedBefore = 0;
  let idle: (() => void) | undefined;

  const client = connect(options.url, {
    clientId: options.clientId,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    keepalive: 30,
    // Jitter, so that the gateways of a farm do not come back all at once.
    reconnectPeriod: 500 + Math.floor(Math.random() * 1000),
    // Rights may be given later: keep trying.
    reconnectOnConnackError: true,
    will: { topic: presence.topic, payload: Buffer.from(presence.will), qos: 1, retain: true },
  });

  const drop = (entry: Entry, reason: string) => {
    dropped++;
    if (dropped === 1 || dropped % 1000 === 0) logger.warn({ dropped, reason }, 'readings dropped');
    entry.settle(false);
  };
  const putBack = (entry: Entry) => {
    const later = queue.findIndex((other) => other.number > entry.number);
    queue.splice(later < 0 ? queue.length : later, 0, entry);
  };
  const pump = () => {
    while (ready && inFlight < inFlightLimit) {
      const entry = queue.shift();
      if (entry === undefined) break;
      inFlight++;
      // Across a lost connection MQTT.js keeps the message and sends it again; the callback comes with the PUBACK.
      client.publish(entry.topic, entry.payload, { qos: 1 }, (error) => {
        inFlight--;
        if (error == null) {
          acknowledged++;
          entry.settle(true);
        } else if (ready || closing) drop(entry, messageOf(error));
        else putBack(entry);
        pump();
      });
    }
    if (queue.length === 0 && inFlight === 0) idle?.();
  };
  const publishRetained = (topic: string, payload: string) => {
    client.publish(topic, payload, { qos: 1, retain: true }, (error) => {
      if (error == null) return;
      logger.warn({ topic, error: messageOf(error) }, 'status not published');
      if (!retained.has(topic)) retained.set(topic, payload);
    });
  };
  const flushRetained = () => {
    for (const [topic, payload] of retained) publishRetained(topic, payload);
    retained.clear();
  };

  client.on('connect', () => {
    ready = true;
    logger.info({ waiting: queue.length, dropped: dropped - droppedBefore }, 'broker connected');
    droppedBefore = dropped;
    publishRetained(presence.topic, presence.online());
    flushRetained();
    pump();
  });
  let lastError = '';
  client.on('error', (error) => {
    if (messageOf(error) !== lastError)
      logger.warn({ error: messageOf(error) }, 'broker not reachable, trying on');
    lastError = messageOf(error);
  });
  client.on('close', () => {
    if (ready && !closing) logger.warn('broker connection lost');
    if (ready) lastError = '';
    ready = false;
  });

  return {
    send: (topic, payload) =>
      new Promise((settle) => {
        const oldest = queue.length >= queueLimit ? queue.shift() : undefined;
        if (oldest !== undefined) drop(oldest, `more than ${queueLimit} readings wait for the broker`);
        queue.push({ number: sent++, topic, payload, settle });
        pump();
      }),
    retain: (topic, payload) => {
      retained.set(topic, payload);
      if (ready) flushRetained();
    },
    counts: () => ({ acknowledged, dropped, waiting: queue.length + inFlight }),
    close: async (drainMs = 3000) => {
      if (ready && queue.length + inFlight > 0) {
        await within(drainMs, new Promise<void>((resolve) => (idle = resolve)));
      }
      const lost = queue.length + inFlight;
      if (lost > 0) logger.warn({ lost }, 'stopped with readings that the broker did not confirm');
      closing = true;
      if (ready) {
        await within(1000, client.publishAsync(presence.topic, presence.offline(), { qos: 1, retain: true }));
      }
      await within(1000, client.endAsync(!ready));
      ready = false;
      for (const entry of queue.splice(0)) entry.settle(false);
    },
  };
}

/** Waits for `work` for at most `ms`; a failure of it at the end of a process is of no interest. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const cap = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), cap]);
  clearTimeout(timer);
}
