// Where messages come from: the broker inside this process, the broker by MQTT, or the log as a member of a group.
import type { Logger } from '../contract/runtime/logger.ts';
import type { Shutdown } from '../contract/runtime/shutdown.ts';
import type { ConnectorConfig } from './config.ts';
import { findStamp } from './db/arrival-stamps.ts';
import type { Db } from './db/pool.ts';
import { startEmbeddedBroker } from './embedded/broker.ts';
import type { ArrivalClock } from './ingest/arrival-clock.ts';
import type { Intake } from './ingest/intake.ts';
import { openLogWriter } from './ingest/kafka-client.ts';
import { createNotifier, type Notifier } from './ingest/kafka-notify.ts';
import { createKafkaSource } from './ingest/kafka-source.ts';
import { createMqttSource, type MqttSource } from './ingest/mqtt-source.ts';
import { logSettings, mqttSettings } from './settings.ts';

/** What the source works with. */
export interface SourceContext {
  config: ConnectorConfig;
  db: Db;
  intake: Intake;
  clock: ArrivalClock;
}

/** Makes the source that the configuration names; MQTT_EMBEDDED_PORT stands above it. Nothing comes before start(). */
export async function createIntakeSource(
  { config, db, intake, clock }: SourceContext,
  shutdown: Shutdown,
  logger: Logger,
): Promise<MqttSource> {
  const embeddedPort = process.env['MQTT_EMBEDDED_PORT'] ?? '';
  if (embeddedPort !== '') {
    const { username, password, filters } = mqttSettings(config);
    const options = { port: Number(embeddedPort), username, password, filters };
    const broker = await startEmbeddedBroker(options, intake, logger);
    shutdown.onRelease('embedded broker', () => broker.stop());
    return {
      start: () => undefined,
      pause: () => Promise.resolve(),
      status: () => ({ ok: true, detail: 'embedded broker' }),
      publish: (topic, payload) => broker.publish(topic, payload),
    };
  }
  const source =
    config.intake.source === 'mqtt'
      ? createMqttSource(mqttSettings(config), intake, logger)
      : createKafkaSource(
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
  shutdown.onRelease('source', () => source.pause());
  return source;
}

/** Tells the log what was stored, for other consumers of it. */
export function openNotifier(config: ConnectorConfig, shutdown: Shutdown, logger: Logger): Notifier {
  const notifier = createNotifier(openLogWriter(logSettings(config, 'kafka.notify')), logger);
  shutdown.onRelease('notifications', () => notifier.stop());
  return notifier;
}
