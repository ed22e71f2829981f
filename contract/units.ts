// Units of measure: UCUM codes, the conversions at ingest, and what to say about a code that is none.
import { nearMatch } from './near-match.ts';

/** Canonical units, in which values are stored. */
export const units = [
  'kg',
  'Cel',
  'mS/cm',
  'kg/min',
  '%',
  'min',
  's',
  '{count}',
  'kPa',
  '/min',
  '/mL',
  '[pH]',
  'V',
  'kW.h',
  'kW',
  'A',
  'Hz',
  'dBm',
  'dB',
  'deg',
  'lx',
  '[ppm]',
  // A state: 1 yes, 0 no.
  '1',
] as const;

/** Source units a profile may name, each with its way into the catalogue's unit. */
type Conversion = (value: number, kgPerLitre: number) => number;
const conversions: Readonly<Record<string, { to: (typeof units)[number]; convert: Conversion }>> = {
  L: { to: 'kg', convert: (value, kgPerLitre) => value * kgPerLitre },
  mL: { to: 'kg', convert: (value, kgPerLitre) => (value / 1000) * kgPerLitre },
  g: { to: 'kg', convert: (value) => value / 1000 },
  'L/min': { to: 'kg/min', convert: (value, kgPerLitre) => value * kgPerLitre },
  'g/min': { to: 'kg/min', convert: (value) => value / 1000 },
  '[degF]': { to: 'Cel', convert: (value) => ((value - 32) * 5) / 9 },
  K: { to: 'Cel', convert: (value) => value - 273.15 },
  'uS/cm': { to: 'mS/cm', convert: (value) => value / 1000 },
  h: { to: 'min', convert: (value) => value * 60 },
  ms: { to: 's', convert: (value) => value / 1000 },
  d: { to: 'min', convert: (value) => value * 1440 },
  mV: { to: 'V', convert: (value) => value / 1000 },
  mA: { to: 'A', convert: (value) => value / 1000 },
  W: { to: 'kW', convert: (value) => value / 1000 },
  'W.h': { to: 'kW.h', convert: (value) => value / 1000 },
  bar: { to: 'kPa', convert: (value) => value * 100 },
  hPa: { to: 'kPa', convert: (value) => value / 10 },
  'k/mL': { to: '/mL', convert: (value) => value * 1000 },
};

/** Every built-in unit that a profile may name. */
export const sourceUnits: readonly string[] = [...units, ...Object.keys(conversions)];

/** A unit that config/metrics.yaml adds: `value * factor + offset` is in the built-in unit `to`; without `to` it is canonical. */
export interface OwnUnit {
  to?: string | undefined;
  factor: number;
  offset: number;
}

export type OwnUnits = ReadonlyMap<string, OwnUnit>;

const none: OwnUnits = new Map();

/** The canonical unit that a source unit is converted to. */
export function canonicalUnit(unit: string, own: OwnUnits = none): string {
  const builtIn = own.get(unit)?.to ?? unit;
  return conversions[builtIn]?.to ?? builtIn;
}

/** Converts a value from a source unit to its canonical unit; `kgPerLitre` is the density of milk. */
export function toCanonical(value: number, unit: string, kgPerLitre: number): number {
  const conversion = conversions[unit];
  return conversion === undefined ? value : conversion.convert(value, kgPerLitre);
}

/** A value in a built-in unit, and that unit. */
export function toBuiltIn(value: number, unit: string, own: OwnUnits): { value: number; unit: string } {
  const { to, factor, offset } = own.get(unit) ?? { factor: 1, offset: 0 };
  return to === undefined ? { value, unit } : { value: value * factor + offset, unit: to };
}

export const isKnownUnit = (unit: string, own: OwnUnits = none): boolean =>
  sourceUnits.includes(unit) || own.has(unit);

/** How people write units beside UCUM; by the word in small letters. */
const spellings: Readonly<Record<string, string>> = {
  '°c': 'Cel',
  c: 'Cel',
  degc: 'Cel',
  celsius: 'Cel',
  '°f': '[degF]',
  f: '[degF]',
  degf: '[degF]',
  fahrenheit: '[degF]',
  kelvin: 'K',
  kgs: 'kg',
  kilogram: 'kg',
  kilograms: 'kg',
  gram: 'g',
  grams: 'g',
  l: 'L',
  liter: 'L',
  liters: 'L',
  litre: 'L',
  litres: 'L',
  ltr: 'L',
  ml: 'mL',
  'l/min': 'L/min',
  lpm: 'L/min',
  kwh: 'kW.h',
  wh: 'W.h',
  ph: '[pH]',
  ppm: '[ppm]',
  percent: '%',
  pct: '%',
  sec: 's',
  second: 's',
  seconds: 's',
  minute: 'min',
  minutes: 'min',
  hour: 'h',
  hours: 'h',
  hr: 'h',
  day: 'd',
  days: 'd',
  count: '{count}',
  counts: '{count}',
  pcs: '{count}',
  bool: '1',
  boolean: '1',
  lux: 'lx',
  bpm: '/min',
  rpm: '/min',
  '1/min': '/min',
  '1/ml': '/mL',
  'cells/ml': '/mL',
  'cells/ml/1000': 'k/mL',
  '1000/ml': 'k/mL',
  volt: 'V',
  volts: 'V',
  amp: 'A',
  ampere: 'A',
  watt: 'W',
  hertz: 'Hz',
  degree: 'deg',
  degrees: 'deg',
  '°': 'deg',
};

/** The unit that was probably meant. */
function meantUnit(unit: string, own: OwnUnits): string | undefined {
  const word = unit.trim().toLowerCase().replaceAll('µ', 'u');
  if (Object.hasOwn(spellings, word)) return spellings[word];
  const known = [...own.keys(), ...sourceUnits];
  const equal = known.find((code) => code.toLowerCase() === word);
  return equal ?? nearMatch(unit, known);
}

/** What is wrong with a unit that is not known: what was meant, what UCUM is, and how to add one. */
export function unknownUnit(unit: string, own: OwnUnits = none): string {
  const meant = meantUnit(unit, own);
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`;
  return (
    `unknown unit '${unit}'${hint} Units are written as UCUM codes (https://ucum.org), capitals count: Cel is °C, [degF] °F, L litre, ` +
    `kW.h kWh, mS/cm, {count} a number of things, 1 yes or no. Known: ${[...sourceUnits, ...own.keys()].join(', ')}. ` +
    `Others are added under units: in config/metrics.yaml`
  );
}

/** Why a value in `unit` cannot be stored in `wanted`, and which units can. */
export function unitMismatch(unit: string, name: string, wanted: string, own: OwnUnits = none): string {
  const fitting = [...sourceUnits, ...own.keys()].filter((code) => canonicalUnit(code, own) === wanted);
  return `unit '${unit}' does not convert to ${name}'s unit '${wanted}'; these do: ${fitting.join(', ')}`;
}
