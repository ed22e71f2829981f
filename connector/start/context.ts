// What every part of the assembly may ask for, once it is there.
import type { ConnectorConfig } from '../config/load.ts';
import type { Library } from '../config/library.ts';
import type { NewsChannel } from '../db/listen.ts';
import type { PipelineMetrics } from '../ingest/metrics.ts';
import type { Job } from '../jobs/scheduler.ts';
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

/** What a part hands to the assembly, which runs the jobs and listens to the news. */
export interface Feature {
  jobs: readonly Job[];
  news: readonly NewsChannel[];
}
