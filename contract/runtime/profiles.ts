// Loads the metric catalogue and every device profile of a configuration folder.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import { catalogueOf, metricCatalogueSchema, rangeProblems, type MetricCatalogue } from '../metrics.ts';
import { profileProblems, profileSchema, withBuiltInUnits, type Profile } from '../profile.ts';
import { loadYaml } from './yaml.ts';

/** Reads `metrics.yaml`. Throws AppError `invalid`. */
export function loadMetrics(file: string): MetricCatalogue {
  const { value, complain } = loadYaml(file, metricCatalogueSchema);
  const problems = Object.entries(value.metrics).flatMap(([name, metric]) =>
    rangeProblems(metric, ['metrics', name]),
  );
  if (problems.length > 0)
    throw new AppError('invalid', problems.map(({ path, message }) => complain(path, message)).join('\n'));
  return catalogueOf(value);
}

/** Reads one profile and checks it against the catalogue. Throws AppError `invalid`. */
export function loadProfile(file: string, catalogue: MetricCatalogue): Profile {
  const { value: profile, complain } = loadYaml(file, profileSchema);
  const problems = profileProblems(profile, catalogue);
  if (problems.length > 0) {
    throw new AppError('invalid', problems.map(({ path, message }) => complain(path, message)).join('\n'));
  }
  return withBuiltInUnits(profile, catalogue);
}

/** Reads every `*.yaml` of a folder, in file name order, keyed by profile name. Throws AppError `invalid`. */
export function loadProfiles(folder: string, catalogue: MetricCatalogue): ReadonlyMap<string, Profile> {
  const profiles = new Map<string, Profile>();
  for (const name of namesIn(folder)) {
    const file = join(folder, name);
    const profile = loadProfile(file, catalogue);
    if (profiles.has(profile.profile))
      throw new AppError('invalid', `${file}: profile '${profile.profile}' exists twice`);
    profiles.set(profile.profile, profile);
  }
  return profiles;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((entry) => entry.endsWith('.yaml'))
      .sort();
  } catch (cause) {
    throw new AppError('invalid', `${folder}: cannot be read. Is it a folder, and may this user read it?`, {
      cause,
    });
  }
}
