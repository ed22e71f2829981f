// What a poll brought becomes messages: every poll of a sensor and of a running milking, now and then of an idle stall.
import type { Services } from '../shared/protocol.ts';
import type { Values } from './decode.ts';
import { memorySchema, type DeviceMemory } from './memory.ts';
import { toReading } from './reading.ts';
import type { DeviceSettings } from './settings.ts';

/** How often the moment of a running milking is remembered; its start and end are remembered at once. */
const rememberEveryMs = 30_000;

interface Context {
  services: Pick<Services, 'publish' | 'recall' | 'count'>;
  kgPerLitre: number;
  heartbeatMs: number;
}

/** Takes the values of one plan of the device, read at `at` (epoch milliseconds). */
export function createReadingHandler(
  device: DeviceSettings,
  { services, kgPerLitre, heartbeatMs }: Context,
): (plan: number, values: Values, at: number) => void {
  const key = `modbus/${device.uid}`;
  const recalled = memorySchema.safeParse(services.recall(key) ?? {});
  let memory: DeviceMemory = recalled.success ? recalled.data : { counters: {} };
  let lastSentAt = Number.NEGATIVE_INFINITY;
  let lastRememberedAt = Number.NEGATIVE_INFINITY;
  const session = device.map.session;
  const sessionPlan = device.plans.findIndex(({ blocks }) =>
    blocks.some(({ registers }) => registers.some(({ definition }) => definition.name === session?.counter)),
  );

  return (plan, values, at) => {
    const isSession = session !== undefined && plan === sessionPlan;
    const reading = toReading(device, values, { at, previous: memory, kgPerLitre, isSession });
    const event = reading.envelope.session?.event;
    const [before, after] = [memory.session, reading.memory.session];
    const changed =
      after?.counter !== before?.counter ||
      after?.open !== before?.open ||
      after?.told?.length !== before?.told?.length;
    const counted = reading.memory.counters !== memory.counters;
    memory = reading.memory;
    if (isSession) {
      if (event === undefined && !changed && at - lastSentAt < heartbeatMs) return;
      lastSentAt = at;
    }
    const isDue = changed || counted || (isSession && at - lastRememberedAt >= rememberEveryMs);
    if (isDue) lastRememberedAt = at;
    if (reading.envelope.points.length === 0 && event === undefined) return;
    services.count('readings_total');
    services
      .publish(device.address, reading.envelope, isDue ? [key, memory] : undefined)
      .catch(() => undefined);
  };
}
