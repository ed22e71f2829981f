// Runs a profile's Modbus samples.
import { isDeepStrictEqual } from 'node:util';
import type { Envelope } from '../../contract/envelope.ts';
import type { Profile } from '../../contract/profile.ts';
import { decodeBlocks } from '../../gateways/modbus/decode.ts';
import { planReads } from '../../gateways/modbus/plan.ts';
import { toReading } from '../../gateways/modbus/reading.ts';

/** One line per sample whose envelope is not the expected one. Samples of other protocols are left to their tests. */
export function checkSamples(profile: Profile): string[] {
  const map = profile.modbus;
  if (map === undefined) return [];
  return profile.samples.flatMap(({ name, registers, expect }) => {
    if (registers === undefined) return [];
    const blocks = planReads(map).flatMap((plan) => plan.blocks);
    const data = blocks.map(({ table, start, length }) =>
      Array.from({ length }, (_, i) => registers[table]?.[String(start + i + map.address_base)] ?? 0),
    );
    const context = {
      at: 0,
      previous: { counters: {} },
      kgPerLitre: 1.03,
      isSession: map.session !== undefined,
    };
    const values = decodeBlocks(map, blocks, data);
    const { envelope } = toReading({ map, stall: undefined, calibration: {} }, values, context);
    return Object.entries(expect).flatMap(([key, wanted]) => {
      const found = envelope[key as keyof Envelope];
      return isDeepStrictEqual(sorted(found), sorted(wanted))
        ? []
        : [`sample '${name}': ${key} is ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`];
    });
  });
}

/** Points in any order are the same points. */
function sorted(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((part) => JSON.stringify(part)).sort();
}
