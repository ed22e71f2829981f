// The metric catalogue: what may be measured, in which canonical unit, and units beside the built-in ones.
import * as z from 'zod';
import { nearMatch } from './near-match.ts';
import { canonicalUnit, isKnownUnit, units, unknownUnit, type OwnUnits } from './units.ts';

export const metricSchema = z.strictObject({
  /** UCUM code. */
  unit: z.string(),
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

/** A unit that devices speak and that is not built in. */
const ownUnitSchema = z.strictObject({
  /** Built-in unit that it is converted to; without it values are stored in the unit itself. */
  to: z.string().optional(),
  /** A value times this, plus `offset`, is in `to`. */
  factor: z.number().positive().default(1),
  offset: z.number().default(0),
  description: z.string(),
});

export const metricCatalogueSchema = z
  .strictObject({
    /** By UCUM code. */
    units: z.record(z.string().min(1), ownUnitSchema).default({}),
    metrics: z.record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'a metric name is snake_case'), metricSchema),
  })
  .superRefine((file, context) => {
    for (const { path, message } of unitProblems(file)) context.addIssue({ code: 'custom', path, message });
  });
export type CatalogueFile = z.infer<typeof metricCatalogueSchema>;

/** Metrics by name, and the units that the file adds. */
export type MetricCatalogue = ReadonlyMap<string, Metric> & { readonly units?: OwnUnits };

/** The file as the programs use it. */
export const catalogueOf = ({ metrics, units: own }: CatalogueFile): MetricCatalogue =>
  Object.assign(new Map(Object.entries(metrics)), { units: new Map(Object.entries(own)) });

interface UnitProblem {
  path: string[];
  message: string;
}

function unitProblems({ metrics, units: own }: CatalogueFile): UnitProblem[] {
  const table: OwnUnits = new Map(Object.entries(own));
  const problems = [...table].flatMap(([code, { to, factor, offset }]): UnitProblem[] => {
    const path = ['units', code];
    if (isKnownUnit(code)) return [{ path, message: `unit '${code}' is built in` }];
    if (to !== undefined && !isKnownUnit(to)) return [{ path: [...path, 'to'], message: unknownUnit(to) }];
    if (to === undefined && (factor !== 1 || offset !== 0))
      return [{ path, message: 'factor and offset need to:, the unit that they lead to' }];
    return [];
  });
  for (const [name, { unit }] of Object.entries(metrics)) {
    const path = ['metrics', name, 'unit'];
    const isCanonical = (units as readonly string[]).includes(unit);
    if (isCanonical || (table.has(unit) && table.get(unit)?.to === undefined)) continue;
    const message = isKnownUnit(unit, table)
      ? `values are stored in '${canonicalUnit(unit, table)}', not in '${unit}'; profiles convert`
      : unknownUnit(unit, table);
    problems.push({ path, message });
  }
  return problems;
}

/** Says that a metric is not in the catalogue, and which one may be meant. */
export function unknownMetric(name: string, catalogue: MetricCatalogue, where = 'the catalogue'): string {
  const near = nearMatch(name, [...catalogue.keys()]);
  return `metric '${name}' is not in ${where}${near === undefined ? '' : `; did you mean '${near}'?`}`;
}

/** A range whose ends are the wrong way round would let no value count. */
export function rangeProblems(
  { min, max }: { min?: number | undefined; max?: number | undefined },
  path: readonly (string | number)[],
): { path: (string | number)[]; message: string }[] {
  if (min === undefined || max === undefined || min < max) return [];
  return [{ path: [...path, 'min'], message: `${min} is not below max, ${max}` }];
}

/** A unit in a profile; whether it is known depends on the catalogue. */
export const unitSchema = z.string().min(1);
