// What every part of the assembly may ask for, once it is there, and what each of them hands back.
import type { ConnectorConfig } from '../config/load.ts';
import type { Library } from '../config/library.ts';
import type { NewsChannel } from '../db/listen.ts';
import type { PipelineMetrics } from '../ingest/metrics.ts';
import type { Job } from '../jobs/scheduler.ts';
import type { Route } from '../rest/route.ts';
import type { Pools } from './database.ts';
import type { ConnectorState } from './state.ts';

/** Made first, before anything runs. */
export interface Context extends Pools {
  config: ConnectorConfig;
  library: Library;
  metrics: PipelineMetrics;
  state: ConnectorState;
  /** For `${NAME}` in the mapping file. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** What a feature hands to the assembly, which runs the jobs, serves the routes, listens to the news, and ends it. */
export interface Feature {
  jobs: readonly Job[];
  routes: readonly Route[];
  news: readonly NewsChannel[];
  stop(): Promise<void> | void;
}

/** A feature that has only some of it. */
export const feature = (has: Partial<Feature>): Feature => ({
  jobs: [],
  routes: [],
  news: [],
  stop: () => undefined,
  ...has,
});
