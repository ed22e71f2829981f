// Cows and their milk: a stable character per cow, a flow curve and milk values per milking. Pure.
import { between, createRandom, normal, roundTo } from './random.ts';

export interface Cow {
  /** ISO 11784; 050 is Bangladesh. The first 24 are the demo animals in Odoo. */
  rfid: string;
  earTag: string;
  /** What she usually gives at one milking. */
  yieldKg: number;
  peakKgMin: number;
  fat: number;
  protein: number;
  lactose: number;
  sccPerMl: number;
  conductivity: number;
}

/** Cow number `n`, from 1: always the same for a seed. */
export function createCow(seed: number, n: number): Cow {
  const random = createRandom(seed, 1, n);
  // Every eighth cow has a trace of mastitis: cells and salt go up together.
  const ill = n % 8 === 5;
  return {
    rfid: `050${String(n).padStart(12, '0')}`,
    earTag: `BD-${1000 + n}`,
    yieldKg: between(random, 7, 15),
    peakKgMin: between(random, 2.2, 3.4),
    fat: between(random, 3.2, 4.6),
    protein: between(random, 2.9, 3.7),
    lactose: between(random, 4.5, 5),
    sccPerMl: ill ? between(random, 350_000, 900_000) : between(random, 40_000, 220_000),
    conductivity: ill ? between(random, 6.1, 7.4) : between(random, 4.6, 5.6),
  };
}

/** One milking as planned: flow rises, holds, falls; the area under it is the yield. */
export interface Milk {
  yieldKg: number;
  peakKgMin: number;
  riseS: number;
  plateauS: number;
  fallS: number;
  durationS: number;
  fat: number;
  protein: number;
  lactose: number;
  sccPerMl: number;
  conductivity: number;
  temperature: number;
  vacuumKpa: number;
  pulsation: number;
}

/** The milk that a cow gives at one milking; `seeds` tell the milking from her others. */
export function planMilk(cow: Cow, ...seeds: readonly number[]): Milk {
  const random = createRandom(...seeds);
  const vary = (value: number, share: number) => value * (1 + share * normal(random));
  // One in twenty gives far less than usual.
  const off = random() < 0.05 ? 0.5 : 1;
  const yieldKg = roundTo(Math.max(1, vary(cow.yieldKg, 0.05) * off), 2);
  const [riseS, fallS] = [40, 80];
  const peakLimit = (yieldKg * 60) / ((riseS + fallS) / 2 + 30);
  const peakKgMin = Math.min(vary(cow.peakKgMin, 0.03), peakLimit);
  const plateauS = (yieldKg * 60) / peakKgMin - (riseS + fallS) / 2;
  return {
    yieldKg,
    peakKgMin,
    riseS,
    plateauS,
    fallS,
    durationS: riseS + plateauS + fallS,
    fat: roundTo(vary(cow.fat, 0.03), 2),
    protein: roundTo(vary(cow.protein, 0.02), 2),
    lactose: roundTo(vary(cow.lactose, 0.01), 2),
    sccPerMl: Math.round(vary(cow.sccPerMl, 0.1) / 1000) * 1000,
    conductivity: roundTo(vary(cow.conductivity, 0.02), 2),
    temperature: roundTo(between(random, 36.8, 38.4), 1),
    vacuumKpa: roundTo(between(random, 41.5, 42.5), 1),
    pulsation: 60,
  };
}

/** Flow in kg/min, `s` simulated seconds into the milking. */
export function flowAt({ riseS, plateauS, fallS, peakKgMin }: Milk, s: number): number {
  if (s <= 0 || s >= riseS + plateauS + fallS) return 0;
  if (s < riseS) return (peakKgMin * s) / riseS;
  if (s < riseS + plateauS) return peakKgMin;
  return (peakKgMin * (riseS + plateauS + fallS - s)) / fallS;
}

/** Milk so far in kg: the integral of the flow. */
export function yieldAt({ riseS, plateauS, fallS, peakKgMin, yieldKg, durationS }: Milk, s: number): number {
  if (s >= durationS) return yieldKg;
  const rise = Math.min(Math.max(s, 0), riseS);
  const plateau = Math.min(Math.max(s - riseS, 0), plateauS);
  const fall = Math.min(Math.max(s - riseS - plateauS, 0), fallS);
  const area = rise ** 2 / (2 * riseS) + plateau + fall - fall ** 2 / (2 * fallS);
  return (area * peakKgMin) / 60;
}
