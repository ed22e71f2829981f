// Finished milkings as one message each.
import type { Outgoing } from './publisher.ts';

/** A milking of meter `meter` that ended at `at` (epoch ms). `id` is unique for the meter. */
export function milking(meter: number, id: string, at: number): Outgoing {
  const yieldKg = 8 + (at % 90) / 10;
  const points = [
    `{"m":"milk_yield","v":${yieldKg}}`,
    '{"m":"milk_conductivity","v":5.1}',
    '{"m":"milk_temperature","v":38.2}',
    '{"m":"milk_fat","v":3.9}',
    '{"m":"milk_protein","v":3.3}',
    '{"m":"milking_duration","v":360}',
  ];
  const tag = `05000000${String(1_000_000 + (meter % 1_000))}`;
  return {
    topic: `dairy/bench/milk_meter/m${meter}/data`,
    payload: `{"v":1,"at":"${new Date(at).toISOString()}","points":[${points.join(',')}],"animal":{"rfid":"${tag}"},"session":{"id":"${id}","event":"record"}}`,
  };
}
