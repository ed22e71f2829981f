// The metric catalogue: what may be measured, in which canonical unit, and the unit conversions at ingest.
import * as z from 'zod';

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

export const metricSchema = z.strictObject({
  /** UCUM code. */
  unit: z.enum(units),
  kind: z.enum(['gauge', 'counter']).default('gauge'),
  /** Valid range, inclusive; a value outside is stored with quality ≠ 0 and triggers nothing. */
  min: z.number().optional(),
  max: z.number().optional(),
  /** Fastest plausible change; a faster one is stored with quality 4. For values minutes apart, not for flows. */
  max_per_minute: z.number().positive().optional(),
  /** A sensor that says exactly the same for longer is stuck: quality 5. */
  stuck_minutes: z.number().positive().optional(),
  description: z.string(),
});
export type Metric = z.infer<typeof metricSchema>;

export const metricCatalogueSchema = z.strictObject({
  metrics: z.record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'a metric name is snake_case'), metricSchema),
});
export type MetricCatalogue = ReadonlyMap<string, Metric>;

/** A range whose ends are the wrong way round would let no value count. */
export function rangeProblems(
  { min, max }: { min?: number | undefined; max?: number | undefined },
  path: readonly (string | number)[],
): { path: (string | number)[]; message: string }[] {
  if (min === undefined || max === undefined || min < max) return [];
  return [{ path: [...path, 'min'], message: `${min} is not below max, ${max}` }];
}

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

/** Every unit that a profile may name. */
export const sourceUnits: readonly string[] = [...units, ...Object.keys(conversions)];

export const unitSchema = z.string().refine((unit) => sourceUnits.includes(unit), {
  error: `unknown unit; known: ${sourceUnits.join(', ')}`,
});

/** The canonical unit that a source unit is converted to. */
export function canonicalUnit(unit: string): string {
  return conversions[unit]?.to ?? unit;
}

/** Converts a value from a source unit to its canonical unit; `kgPerLitre` is the density of milk. */
export function toCanonical(value: number, unit: string, kgPerLitre: number): number {
  const conversion = conversions[unit];
  return conversion === undefined ? value : conversion.convert(value, kgPerLitre);
}
