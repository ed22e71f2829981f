// Polls one device for ever: read, decode, publish, tell online from offline. One poller never waits for another's device.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../contract/errors.ts';
import type { Services } from '../shared/protocol.ts';
import { failed, isOpen, newBreaker, openAfter, patienceMs, pauseMs, succeeded } from './breaker.ts';
import { priority, type Bus } from './bus.ts';
import { BusDownError } from './faults.ts';
import { createReadingHandler } from './publishing.ts';
import { createPlanReader } from './read-plan.ts';
import type { DeviceSettings } from './settings.ts';

export interface PollerContext {
  bus: Bus;
  services: Services;
  kgPerLitre: number;
  heartbeatMs: number;
  timeoutMs: number;
  retryMaxMs: number;
  signal: AbortSignal;
}

/** The first polls of many devices are spread over so long, so that they do not come in one burst for ever. */
const spreadMs = 1000;

/** Runs until `context.signal` aborts. Never rejects. */
export async function pollDevice(device: DeviceSettings, context: PollerContext): Promise<void> {
  const { bus, services, signal, timeoutMs, retryMaxMs } = context;
  const handle = createReadingHandler(device, context);
  const readPlan = createPlanReader(device, services.logger);
  const stopping = () => signal.aborted;
  const labels = { device: device.uid };
  let breaker = newBreaker();
  let downs = 0;
  const fastest = device.plans[0]?.intervalMs ?? spreadMs;
  const startAt = performance.now() + Math.random() * Math.min(fastest, spreadMs);
  const beats = device.plans.map((plan, index) => ({ index, intervalMs: plan.intervalMs, dueAt: startAt }));

  while (!stopping()) {
    const beat = beats.reduce((first, other) => (other.dueAt < first.dueAt ? other : first));
    await sleep(Math.max(0, beat.dueAt - performance.now()), undefined, { signal }).catch(() => undefined);
    if (stopping()) break;
    let waitMs = 0;
    try {
      const patience = patienceMs(breaker, timeoutMs);
      const data = await bus.run(isOpen(breaker) ? priority.probe : priority.poll, async (line) => {
        const startedAt = performance.now();
        const result = await readPlan(line, beat.index, patience);
        breaker = succeeded(breaker, (performance.now() - startedAt) / Math.max(1, result.requests));
        return result;
      });
      handle(beat.index, data.values, Date.now());
      downs = 0;
      if (data.missing.length === 0) services.report(device.address, 'online');
      else services.report(device.address, 'degraded', `refuses to tell ${data.missing.join(', ')}`);
    } catch (error) {
      if (stopping()) break;
      const isBusDown = error instanceof BusDownError;
      // A dead bus costs nothing and says nothing about the unit.
      if (isBusDown) downs++;
      else breaker = failed(breaker);
      if (downs + breaker.failures === 1)
        services.logger.warn({ device: device.uid, error: messageOf(error) }, 'device not read');
      if (downs + breaker.failures >= openAfter) services.report(device.address, 'offline', messageOf(error));
      if (!isBusDown) waitMs = pauseMs(breaker, fastest, retryMaxMs);
    }
    // Keeps the beat; polls that were missed are not made up for.
    const now = performance.now();
    // A timer may fire a little early.
    const missed = Math.max(0, Math.floor((now - beat.dueAt) / beat.intervalMs));
    if (missed > 0) services.count('missed_cycles_total', labels, missed);
    beat.dueAt += beat.intervalMs * (missed + 1);
    // Whatever the group: while the unit does not answer it is left alone.
    if (waitMs > 0) for (const other of beats) other.dueAt = Math.max(other.dueAt, now + waitMs);
  }
}
