// Polls one device for ever: read, decode, publish, tell online from offline. One poller never waits for another's device.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../contract/errors.ts';
import type { Envelope } from '../../contract/envelope.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { buildTopic } from '../../contract/topics.ts';
import type { Publisher } from '../shared/mqtt.ts';
import { backoffMs } from './backoff.ts';
import { BusDownError, type Bus } from './bus.ts';
import type { DeviceConfig } from './config.ts';
import { decodeBlocks } from './decode.ts';
import { toReading } from './reading.ts';
import type { SessionMemory } from './session.ts';
import type { StateFile } from './state-file.ts';

export interface PollerContext {
  bus: Bus;
  publisher: Publisher;
  stateFile: StateFile;
  kgPerLitre: number;
  heartbeatMs: number;
  retryMaxMs: number;
  logger: Logger;
  signal: AbortSignal;
}

/** Failed polls in a row after which a device counts as offline. */
const offlineAfter = 3;
/** How often the moment of a running milking is remembered; its start and end are remembered at once. */
const rememberEveryMs = 30_000;

/** Runs until `context.signal` aborts. Never rejects. */
export async function pollDevice(device: DeviceConfig, context: PollerContext): Promise<void> {
  const { bus, logger, signal, retryMaxMs } = context;
  const intervalMs = device.map.poll_interval_ms;
  const handle = createReadingHandler(device, context);
  const report = createStatusReporter(device, context);
  const stopping = () => signal.aborted;
  let failures = 0;
  let dueAt = performance.now();
  while (!stopping()) {
    let waitMs = 0;
    try {
      const data = await bus.read(device.unit, device.plan);
      handle(data, Date.now());
      failures = 0;
      report('online');
    } catch (error) {
      if (stopping()) break;
      failures++;
      if (failures === 1) logger.warn({ device: device.uid, error: messageOf(error) }, 'device not read');
      if (failures === offlineAfter) report('offline', messageOf(error));
      // A dead unit costs its whole bus one timeout a try, so it is asked less and less. A dead bus costs nothing.
      if (!(error instanceof BusDownError)) waitMs = backoffMs(failures - 1, intervalMs, retryMaxMs);
    }
    // Keeps the beat; polls that were missed are not made up for.
    dueAt = Math.max(dueAt + intervalMs, performance.now() + waitMs);
    await sleep(Math.max(0, dueAt - performance.now()), undefined, { signal }).catch(() => undefined);
  }
}

/** Publishes what a poll brought: every poll while milk flows, now and then while the stall idles. */
function createReadingHandler(device: DeviceConfig, context: PollerContext) {
  const { publisher, stateFile, kgPerLitre, heartbeatMs } = context;
  const topic = buildTopic({ ...device.address, messageType: 'data' });
  let memory: SessionMemory | undefined = stateFile.get(device.uid);
  let lastSentAt = Number.NEGATIVE_INFINITY;
  let lastRememberedAt = Number.NEGATIVE_INFINITY;

  const publish = (envelope: Envelope, remembered: SessionMemory | undefined) => {
    // The memory on disk moves on only when the broker has the event: a crash in between repeats it, which is harmless.
    const settle = (acknowledged: boolean) => {
      if (acknowledged && remembered !== undefined) stateFile.set(device.uid, remembered);
    };
    publisher.send(topic, JSON.stringify(envelope)).then(settle, () => undefined);
  };

  return (data: number[][], at: number) => {
    const values = decodeBlocks(device.map, device.plan.blocks, data);
    const reading = toReading(device, values, { at, previous: memory, kgPerLitre });
    const event = reading.envelope.session?.event;
    const changed = reading.memory?.counter !== memory?.counter || reading.memory?.open !== memory?.open;
    memory = reading.memory;
    if (event === undefined && !changed && at - lastSentAt < heartbeatMs) return;
    lastSentAt = at;
    const remember = changed || at - lastRememberedAt >= rememberEveryMs;
    if (remember) lastRememberedAt = at;
    if (reading.envelope.points.length > 0 || event !== undefined)
      publish(reading.envelope, remember ? memory : undefined);
  };
}

function createStatusReporter({ uid, address }: DeviceConfig, { publisher, logger }: PollerContext) {
  const topic = buildTopic({ ...address, messageType: 'status' });
  let state: 'online' | 'offline' | undefined;
  return (next: 'online' | 'offline', detail?: string) => {
    if (next === state) return;
    state = next;
    logger.info({ device: uid, state, ...(detail === undefined ? {} : { detail }) }, 'device state');
    const status = { state, at: new Date().toISOString(), ...(detail === undefined ? {} : { detail }) };
    publisher.retain(topic, JSON.stringify(status));
  };
}
