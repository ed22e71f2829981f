// Assembles the gateway: one publisher, one bus per physical line, one poller per device.
import type { Logger } from '../../contract/runtime/logger.ts';
import { buildTopic } from '../../contract/topics.ts';
import { connectPublisher, type PublisherCounts } from '../shared/mqtt.ts';
import { createBus } from './bus.ts';
import type { GatewayConfig } from './config.ts';
import { pollDevice } from './poller.ts';
import { openStateFile } from './state-file.ts';

export interface Gateway {
  counts(): PublisherCounts;
  /** Stops polling, delivers what waits, says offline. */
  stop(): Promise<void>;
}

/** Starts to poll. Returns at once: neither the broker nor any bus has to answer yet. */
export function startGateway(config: GatewayConfig, logger: Logger): Gateway {
  const stateFile = openStateFile(config.stateFile, logger);
  const status = (state: 'online' | 'offline', detail?: string) =>
    JSON.stringify({ state, at: new Date().toISOString(), ...(detail === undefined ? {} : { detail }) });
  const publisher = connectPublisher({
    ...config.mqtt,
    clientId: `gateway-${config.farm}-${config.uid}`,
    presence: {
      topic: buildTopic({
        farm: config.farm,
        deviceType: 'gateway',
        deviceUid: config.uid,
        messageType: 'status',
      }),
      online: () => status('online'),
      offline: () => status('offline', 'stopped'),
      // Written before the connection, sent by the broker much later: a time in it would be wrong.
      will: JSON.stringify({ state: 'offline', detail: 'connection lost' }),
    },
    logger,
  });
  const abort = new AbortController();
  const buses = config.buses.map((settings) => ({ settings, bus: createBus(settings, logger) }));
  const pollers = buses.flatMap(({ settings, bus }) =>
    settings.devices.map((device) =>
      pollDevice(device, {
        bus,
        publisher,
        stateFile,
        kgPerLitre: config.kgPerLitre,
        heartbeatMs: config.heartbeatMs,
        retryMaxMs: settings.retryMaxMs,
        logger,
        signal: abort.signal,
      }),
    ),
  );
  return {
    counts: () => publisher.counts(),
    stop: async () => {
      abort.abort();
      await Promise.all(buses.map(({ bus }) => bus.close()));
      await Promise.all(pollers);
      await publisher.close();
      stateFile.flush();
    },
  };
}
