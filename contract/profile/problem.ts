// What is wrong with a part of a profile beyond its shape.
import { canonicalUnit, type MetricCatalogue } from '../metrics.ts';

/** Where in the file, and what. */
export interface Problem {
  path: (string | number)[];
  message: string;
}

/** What is wrong with a metric's name and the unit of what is mapped to it, against the catalogue. */
export function metricProblems(
  path: (string | number)[],
  name: string,
  unit: string,
  catalogue: MetricCatalogue,
): Problem[] {
  const metric = catalogue.get(name);
  if (metric === undefined)
    return [{ path: [...path, 'metric'], message: `metric '${name}' is not in config/metrics.yaml` }];
  if (canonicalUnit(unit) === metric.unit) return [];
  const message = `unit '${unit}' does not convert to ${name}'s unit '${metric.unit}'`;
  return [{ path: [...path, 'unit'], message }];
}
