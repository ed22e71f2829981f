// What a stall's milk meter holds in its input registers: the map of config/profiles/generic-milk-meter-modbus.yaml,
// written down a second time on purpose, so that a slip in the profile shows in the tests.
import { flowAt, yieldAt } from './cow.ts';
import type { Milking } from './parlour.ts';

export const registerCount = 20;
const none16 = 0xffff;

/**
 * The registers at simulated second `atS`; `counterBase` is the meter's count at the start. A meter that is not `timed` does not say
 * how long the milking takes: simulated seconds are none of the clock on the wall, by which its messages have their times.
 */
export function meterRegisters(
  milking: Milking | undefined,
  atS: number,
  { counterBase, analyser, timed }: { counterBase: number; analyser: boolean; timed: boolean },
): number[] {
  if (milking === undefined) return idleRegisters(counterBase);
  const { milk, startS, endS, number } = milking;
  const s = Math.min(atS, endS) - startS;
  const active = atS < endS;
  const measured = analyser && !active;
  const quality = (value: number) => (measured ? Math.round(value * 100) : none16);
  const wobble = active ? 0.05 * Math.sin(s / 11) : 0;
  return [
    (counterBase + number + 1) & 0xffff,
    active ? 1 : 0,
    ...uint32(Math.round(yieldAt(milk, s) * 100)),
    Math.round(flowAt(milk, s) * 1000),
    Math.round((milk.conductivity + wobble) * 100),
    active ? Math.round((milk.temperature + wobble) * 10) : 0x7fff,
    timed ? Math.round(s) : none16,
    Math.round(milk.vacuumKpa * 10),
    active ? milk.pulsation : 0,
    Math.round(Math.min(milk.peakKgMin, (milk.peakKgMin * s) / milk.riseS) * 1000),
    quality(milk.fat),
    quality(milk.protein),
    quality(milk.lactose),
    ...uint32(measured ? milk.sccPerMl / 1000 : 0xffff_ffff),
    // The reader of the stall speaks MQTT: the meter knows no tag.
    ...[0, 0, 0, 0],
  ];
}

function idleRegisters(counterBase: number): number[] {
  const registers = new Array<number>(registerCount).fill(0);
  registers[0] = counterBase & 0xffff;
  for (const address of [5, 11, 12, 13, 14, 15]) registers[address] = none16;
  registers[6] = 0x7fff;
  registers[8] = 420;
  return registers;
}

const uint32 = (value: number) => [Math.floor(value / 65_536), value % 65_536];
