// What was published and what became of it: every message carries its number in the value it measures.

/** A message of the load. */
export interface Sent {
  /** Its number in the run, which is also in its value. */
  n: number;
  topic: string;
  payload: string;
  /** `record`: a finished milking; `same`: without a time, byte for byte the same each time. `poison` messages belong into the dead letters. */
  kind: 'gauge' | 'milk' | 'poison' | 'record' | 'same';
  /** Index of the milking, for `milk`. */
  milking: number;
  /** Without a time of its own nothing tells it from its repetition by the sender. */
  timed: boolean;
  acknowledged: boolean;
  /** Only a broker that was killed had it: acknowledged, not yet handed on, kept in memory. */
  held: boolean;
  /** Without time and on its way when the broker was killed: it may come not at all or twice, and no one can tell. */
  unsure: boolean;
  /** It was stored in a database that was given up for an older copy, and its device does not send it again. */
  gone: boolean;
  /** The broker keeps it and tells it to every new subscription. */
  retain: boolean;
}

const step = 1e-7;
const offset = 0.05;
const kgPerLitre = 1.03;

/** Volume (L) of a milk message. */
export const litresOf = (n: number): number => offset + n * step;
/** The message that measured so much milk. */
export const messageOfKg = (kg: number): number => Math.round((kg / kgPerLitre - offset) / step);
/** What the product makes of the volume, kg. */
export const kgOf = (n: number): number => litresOf(n) * kgPerLitre;

/** Pressure (kPa) of a gauge message: the metric's range is 0 to 2000, so a run has 1,999,999 messages at most. */
export const kpaOf = (n: number): number => n / 1000;
/** The message that measured this pressure. */
export const messageOfKpa = (kpa: number): number => Math.round(kpa * 1000);
