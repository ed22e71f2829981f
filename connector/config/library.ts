// What devices' messages mean: the metric catalogue and the profiles, read from config/ and read again when the files change.
import { toAppError, type AppError } from '../../contract/errors.ts';
import type { MetricCatalogue } from '../../contract/metrics.ts';
import type { Profile } from '../../contract/profile.ts';
import { fingerprint } from '../../contract/runtime/fingerprint.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { loadMetrics, loadProfiles } from '../../contract/runtime/profiles.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';

/** Catalogue and profiles that belong together. */
export interface Meanings {
  catalogue: MetricCatalogue;
  profiles: ReadonlyMap<string, Profile>;
}

/** Those in use, and how they change. Ask for them each time. */
export interface Library extends Readonly<Meanings> {
  /** What has to be done before others come into use; it may refuse them by throwing. */
  beforeUse(prepare: (next: Meanings) => Promise<void> | void): void;
  /**
   * Reads the files again if they have changed. Throws AppError `invalid` with file:line:column when they are wrong: then what
   * was in use stays in use; `transient` when the database is away, and the next call tries again.
   */
  refresh(): Promise<void>;
  /** Why the files as they are now are not in use. */
  refused(): string | undefined;
}

/** Opens the library. Throws AppError `invalid` when it is wrong from the start. */
export function openLibrary(metricsFile: string, profilesFolder: string, logger: Logger): Library {
  const look = () => fingerprint([metricsFile], [profilesFolder]);
  const load = (): Meanings => {
    const catalogue = loadMetrics(metricsFile);
    return { catalogue, profiles: loadProfiles(profilesFolder, catalogue) };
  };
  let seen = look();
  let used = load();
  let refusal: AppError | undefined;
  const preparations: ((next: Meanings) => Promise<void> | void)[] = [];
  let running: Promise<void> = Promise.resolve();

  async function read(): Promise<void> {
    const found = look();
    if (found === seen) {
      if (refusal !== undefined) throw refusal;
      return;
    }
    try {
      const next = load();
      for (const prepare of preparations) await prepare(next);
      used = next;
    } catch (error) {
      refusal = toAppError(error);
      // Wrong files are looked at again when they have changed; a database that was away, next time.
      if (refusal.kind !== 'transient') seen = found;
      logger.error({ error: refusal.message }, 'profiles and metrics not loaded; the old ones stay in use');
      throw refusal;
    }
    seen = found;
    refusal = undefined;
    logger.info(
      { profiles: used.profiles.size, metrics: used.catalogue.size },
      'profiles and metrics loaded again',
    );
  }

  return {
    get catalogue() {
      return used.catalogue;
    },
    get profiles() {
      return used.profiles;
    },
    beforeUse: (prepare) => void preparations.push(prepare),
    refresh: () => (running = running.catch(() => undefined).then(read)),
    refused: () => refusal?.message,
  };
}

const lookEveryMs = 5_000;

/** Refreshes the library on SIGHUP and when its files change. */
export function followLibrary(library: Library, shutdown: Shutdown): void {
  // It has logged what is wrong.
  const refresh = () => void library.refresh().catch(() => undefined);
  process.on('SIGHUP', refresh);
  const timer = setInterval(refresh, lookEveryMs);
  shutdown.onRelease('library', () => {
    clearInterval(timer);
    process.off('SIGHUP', refresh);
  });
}
