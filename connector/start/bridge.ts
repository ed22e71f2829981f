// The bridge role: messages from the broker into the log, acknowledged when the log has them. Needs no database.
import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, Registry } from 'prom-client';
import { startBridgeHealth, type BridgePage } from './bridge-health.ts';
import { backoffMs } from '../../contract/backoff.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';
import { parseTopic } from '../../contract/topics.ts';
import type { ConnectorConfig } from '../config/load.ts';
import { startBridge } from '../sources/kafka-bridge.ts';
import { ensureTopics, openLogWriter } from '../sources/kafka-client.ts';
import { logTopics } from '../sources/kafka-record.ts';
import { createMqttSource } from '../sources/mqtt-source.ts';
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
  const ready = () => {
    const checks = { mqtt: source.status(), log: logCheck };
    const ok = checks.mqtt.ok && checks.log.ok;
    return { code: ok ? 200 : 503, body: { status: ok ? 'ready' : 'down', checks } };
  };

  const { hostname, port } = new URL(config.rest.url);
  const health = await startBridgeHealth(
    { host: config.rest.host || hostname, port: Number(port || '80') },
    new Map<string, BridgePage>([
      ['/health/live', () => ({ code: 200, body: { status: 'live' } })],
      ['/health/ready', ready],
      ['/metrics', async () => ({ code: 200, body: await registry.metrics() })],
    ]),
    logger,
  );
  shutdown.onRelease('health', () => {
    health.closeAllConnections();
    return new Promise<void>((resolve) => health.close(() => resolve()));
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
      await sleep(backoffMs(failures + 1, { baseMs: 250, capMs: 5_000 }));
    }
  }
  shutdown.onRelease('mqtt', () => source.pause());
  gate.open('start');
}
