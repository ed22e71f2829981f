// Where messages come from: the broker inside this process, the broker by MQTT, or the log as a member of a group.
import { randomUUID } from 'node:crypto';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';
import type { ConnectorConfig } from '../config/load.ts';
import { findStamp } from '../db/arrival-stamps.ts';
import type { Db } from '../db/pool.ts';
import { startEmbeddedBroker } from '../sources/embedded-broker.ts';
import { readAccounts } from '../sources/password-file.ts';
import type { ArrivalClock } from '../ingest/arrival-clock.ts';
import type { Intake } from '../ingest/intake.ts';
import { openLogWriter } from '../sources/kafka-client.ts';
import { createNotifier, type Notifier } from '../sources/kafka-notify.ts';
import { createKafkaSource } from '../sources/kafka-source.ts';
import { createMqttPublisher, createMqttSource, type MqttSource } from '../sources/mqtt-source.ts';
import { logSettings, mqttSettings } from './settings.ts';

/** What the source works with. */
export interface SourceContext {
  config: ConnectorConfig;
  db: Db;
  intake: Intake;
  clock: ArrivalClock;
}

/** Makes the source that the configuration names; mqtt.embedded_port stands above it. Nothing comes before start(). */
export async function createIntakeSource(
  context: SourceContext,
  shutdown: Shutdown,
  logger: Logger,
): Promise<MqttSource> {
  const { config, intake } = context;
  const { embedded_port: port } = config.mqtt;
  if (port !== 0) return embeddedSource(port, context, shutdown, logger);
  const source =
    config.intake.source === 'mqtt'
      ? createMqttSource(mqttSettings(config), intake, logger)
      : groupSource(context, shutdown, logger);
  shutdown.onRelease('source', () => source.pause());
  return source;
}

async function embeddedSource(
  port: number,
  { config, intake }: SourceContext,
  shutdown: Shutdown,
  logger: Logger,
): Promise<MqttSource> {
  const { username, password, filters } = mqttSettings(config);
  const { embedded_max_retained: maxRetained, embedded_accounts_file: file } = config.mqtt;
  const accounts = file === '' ? {} : { accounts: readAccounts(file) };
  const broker = await startEmbeddedBroker(
    { port, username, password, filters, maxRetained, ...accounts },
    intake,
    logger,
  );
  shutdown.onRelease('embedded broker', () => broker.stop());
  return {
    start: () => undefined,
    pause: () => Promise.resolve(),
    status: () => ({ ok: true, detail: 'embedded broker' }),
    publish: (topic, payload) => broker.publish(topic, payload),
  };
}

/** Messages come from the log; what goes to devices needs the broker nevertheless, whichever member Odoo calls. */
function groupSource(
  { config, db, intake, clock }: SourceContext,
  shutdown: Shutdown,
  logger: Logger,
): MqttSource {
  const member = createKafkaSource(
    {
      ...logSettings(config, 'intake.source: kafka'),
      group: config.kafka.group,
      partitions: config.kafka.partitions,
      maxInFlight: 4 * config.intake.batch_messages,
      async recall(origin) {
        const stamp = await findStamp(db, origin);
        if (stamp !== undefined) clock.learn(stamp);
      },
    },
    intake,
    logger,
  );
  const { clientId, ...broker } = mqttSettings(config);
  const publisher = createMqttPublisher({ ...broker, clientId: `${clientId}-commands-${randomUUID()}` });
  shutdown.onRelease('commands', () => publisher.stop());
  return { ...member, publish: publisher.publish };
}

/** Tells the log what was stored, for other consumers of it. */
export function openNotifier(config: ConnectorConfig, shutdown: Shutdown, logger: Logger): Notifier {
  const notifier = createNotifier(openLogWriter(logSettings(config, 'kafka.notify')), logger);
  shutdown.onRelease('notifications', () => notifier.stop());
  return notifier;
}
