// What a benchmark is, and what it gets to work with.
import type { Settings } from '../../../ops/stack/types.ts';
import type { Report } from '../../../ops/stack/types.ts';

/** The services, and what the command line says. */
export interface BenchContext {
  /** The instance's env file: addresses and secrets. */
  env: Readonly<Record<string, string>>;
  settings: Settings;
  /** Pid of the stack's daemon, whose namespaces hold the services' programs. */
  daemonPid: number;
  /** Folder of the instance. */
  dir: string;
  mode: 'real' | 'embedded';
  /** A short form for a first look: seconds instead of minutes, 1 M rows instead of 100 M. */
  quick: boolean;
  /** Folder for CPU profiles of the connector; empty for none. */
  profileDir: string;
  /** Gigantic forms are asked for: 100 M rows. */
  huge: boolean;
  report: Report;
}

/** The keys of the JSON line. */
export type BenchResult = Record<string, string | number | boolean | null>;
export type Bench = (context: BenchContext) => Promise<BenchResult>;
