// The bridge role: messages from the broker into the log, acknowledged when the log has them. Needs no database.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, Registry } from 'prom-client';
import { messageOf } from '../contract/errors.ts';
import type { Logger } from '../contract/runtime/logger.ts';
import type { Shutdown } from '../contract/runtime/shutdown.ts';
import { parseTopic } from '../contract/topics.ts';
import type { ConnectorConfig } from './config.ts';
import { startBridge } from './ingest/kafka-bridge.ts';
import { ensureTopics, openLogWriter } from './ingest/kafka-client.ts';
import { logTopics } from './ingest/kafka-record.ts';
import { createMqttSource } from './ingest/mqtt-source.ts';
import { logSettings, mqttSettings } from './settings.ts';
import { createGate } from './standby.ts';

/** Runs the bridge until it is stopped. */
export async function runBridge(config: ConnectorConfig, shutdown: Shutdown, logger: Logger): Promise<void> {
  const log = logSettings(config, 'role: bridge');
  let logCheck = { ok: false, detail: 'not asked yet' };
  const writer = openLogWriter(log);
  shutdown.onRelease('log', () => writer.close());
  const bridge = startBridge(
    {
      writer,
      keyOf(topic) {
        const address = parseTopic(topic, config.templates);
        return typeof address === 'string' ? topic : `${address.farm}/${address.deviceUid}`;
      },
      maxPayloadBytes: config.intake.max_payload_bytes,
      maxPendingBytes: config.intake.max_pending_bytes,
      onLogDown(detail) {
        logCheck = { ok: false, detail };
        gate.close('log');
      },
      onLogUp() {
        logCheck = { ok: true, detail: 'takes records' };
        gate.open('log');
      },
    },
    logger,
  );
  shutdown.onRelease('bridge', () => bridge.stop());
  const source = createMqttSource(mqttSettings(config), bridge, logger);
  const gate = createGate(() => source, logger);
  const registry = new Registry();
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `smart_dairy_bridge_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('forwarded_messages', 'Messages that the log has', () => bridge.counts().forwarded);
  gauge('pending_messages', 'Messages received and not yet in the log', () => bridge.counts().pending);

  await listen(config, shutdown, {
    '/health/live': () => Promise.resolve({ code: 200, body: { status: 'live' } }),
    '/health/ready'() {
      const checks = { mqtt: source.status(), log: logCheck };
      const ok = checks.mqtt.ok && checks.log.ok;
      return Promise.resolve({ code: ok ? 200 : 503, body: { status: ok ? 'ready' : 'down', checks } });
    },
    '/metrics': async () => ({ code: 200, body: await registry.metrics() }),
  });
  const abort = new AbortController();
  shutdown.onRelease('log start', () => abort.abort());
  for (let failures = 0; !abort.signal.aborted; failures++) {
    try {
      await ensureTopics(log, Object.values(logTopics), config.kafka.partitions);
      logCheck = { ok: true, detail: 'takes records' };
      break;
    } catch (error) {
      logCheck = { ok: false, detail: messageOf(error) };
      if (failures === 0)
        logger.warn({ error: messageOf(error) }, 'waiting for the log; is kafka.brokers right?');
      await sleep(Math.min(5_000, 250 * 2 ** failures));
    }
  }
  shutdown.onRelease('mqtt', () => source.pause());
  gate.open('start');
}

type Answer = { code: number; body: object | string };

/** Health and metrics for machines; there is nothing else to ask a bridge. */
async function listen(
  { rest }: ConnectorConfig,
  shutdown: Shutdown,
  routes: Readonly<Record<string, () => Promise<Answer>>>,
): Promise<void> {
  const server = createServer((request, response) => {
    const route = routes[request.url ?? ''] ?? (() => Promise.resolve({ code: 404, body: { status: 404 } }));
    route().then(
      ({ code, body }) => {
        const isText = typeof body === 'string';
        response.writeHead(code, {
          'content-type': isText ? 'text/plain; version=0.0.4' : 'application/json',
        });
        response.end(isText ? body : JSON.stringify(body));
      },
      () => response.writeHead(500).end(),
    );
  });
  const { hostname, port } = new URL(rest.url);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(port || '80'), rest.host || hostname, resolve);
  });
  shutdown.onRelease('health', () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
}
