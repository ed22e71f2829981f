// What is wrong with a part of a profile beyond its shape.
import { rangeProblems, unknownMetric, type MetricCatalogue } from '../metrics.ts';
import { canonicalUnit, isKnownUnit, unitMismatch, unknownUnit } from '../units.ts';

/** Where in the file, and what. */
export interface Problem {
  path: (string | number)[];
  message: string;
}

/** What is wrong with a value that is mapped to a metric: its name, its unit, its range. */
export const pointProblems = (
  path: (string | number)[],
  point: { metric: string; unit: string; min?: number | undefined; max?: number | undefined },
  catalogue: MetricCatalogue,
): Problem[] => [...metricProblems(path, point.metric, point.unit, catalogue), ...rangeProblems(point, path)];

/** What is wrong with a metric's name and the unit of what is mapped to it, against the catalogue. */
export function metricProblems(
  path: (string | number)[],
  name: string,
  unit: string,
  catalogue: MetricCatalogue,
): Problem[] {
  const metric = catalogue.get(name);
  if (metric === undefined)
    return [{ path: [...path, 'metric'], message: unknownMetric(name, catalogue, 'config/metrics.yaml') }];
  const { units } = catalogue;
  const message = !isKnownUnit(unit, units)
    ? unknownUnit(unit, units)
    : canonicalUnit(unit, units) === metric.unit
      ? undefined
      : unitMismatch(unit, name, metric.unit, units);
  return message === undefined ? [] : [{ path: [...path, 'unit'], message }];
}
