// A gateway whose only device makes readings as fast as the spool takes them: a day of 100 readings a second in a minute.
// Everything but the source is the real gateway: spool, outlet, broker link, health page. Ends only by signals.
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { createLogger } from '../../../contract/runtime/logger.ts';
import { runMain } from '../../../contract/runtime/shutdown.ts';
import { loadGatewayConfig } from '../../../gateways/shared/config.ts';
import { startGateway } from '../../../gateways/shared/gateway.ts';
import type { Protocol, Services } from '../../../gateways/shared/protocol.ts';

const sectionSchema = z.strictObject({
  messages: z.int(),
  points: z.int(),
  start_ms: z.int(),
  interval_ms: z.int(),
});
type Section = z.infer<typeof sectionSchema>;

const metrics = [
  ...['temperature', 'humidity', 'milk_flow', 'milk_conductivity', 'milk_temperature', 'vacuum_pressure'],
  ...['pulsation_rate', 'milk_fat', 'milk_protein', 'milk_lactose'],
];
const atOnce = 500;

/** How far it came is remembered in the transaction that stores the reading: a killed process goes on exactly there. */
async function make(
  { messages, points, start_ms, interval_ms }: Section,
  services: Services,
  signal: AbortSignal,
) {
  const address = { farm: services.farm, deviceType: 'milk_meter' as const, deviceUid: 'source' };
  const recalled = services.recall('source/next');
  let next = typeof recalled === 'number' ? recalled : 0;
  services.gauge('source_made', {}, next);
  while (next < messages && !signal.aborted) {
    const stored: Promise<boolean>[] = [];
    for (const end = Math.min(messages, next + atOnce); next < end; next++) {
      const n = next;
      const list = metrics.slice(0, points).map((m, index) => ({ m, v: n + index / 10 }));
      const envelope = { v: 1 as const, id: String(n), at: start_ms + n * interval_ms, points: list };
      stored.push(services.publish(address, envelope, ['source/next', n + 1]));
    }
    await Promise.all(stored);
    // Timers and the health page have their turn too.
    await setImmediate();
    services.gauge('source_made', {}, next);
  }
}

const protocol: Protocol<Section, Section> = {
  name: 'source',
  schema: sectionSchema,
  resolve: (section) => section,
  start: (section, services) => {
    const abort = new AbortController();
    const making = make(section, services, abort.signal);
    return {
      reload: () => Promise.resolve(),
      stop: async () => {
        abort.abort();
        await making;
      },
    };
  },
};

const logger = createLogger('gateway-source');
runMain(logger, async (shutdown) => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const config = loadGatewayConfig(positionals[0] ?? '', [protocol], process.env);
  logger.level = config.shared.log.level;
  const gateway = await startGateway(config, [protocol], logger);
  shutdown.onRelease('gateway', () => gateway.stop());
});
