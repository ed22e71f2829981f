// What faults can reach.
import { setTimeout as sleep } from 'node:timers/promises';
import { between, type Random } from '../simulator/random.ts';
import type { Report } from '../../ops/stack/types.ts';
import type { Cable } from './cable.ts';
import type { Connectors } from './connectors.ts';
import type { Copies } from './copies.ts';
import type { Load } from './load.ts';
import type { Sender } from './sender.ts';
import type { SmallDatabase } from './services.ts';
import type { Stored } from './stored.ts';

/** What faults can reach. */
export interface Scene {
  env: Readonly<Record<string, string>>;
  daemonPid: number;
  random: Random;
  load: Load;
  sender: Sender;
  connectors: Connectors;
  database: SmallDatabase;
  databaseCopies: Copies;
  odooCopies: Copies;
  stored: Stored;
  brokerCable: Cable;
  databaseCable: Cable;
  report: Report;
}

/** Lets the load go on for a random while, seconds. */
export const pause = ({ random }: Scene, low: number, high: number): Promise<void> =>
  sleep(1000 * between(random, low, high));
