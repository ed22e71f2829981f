// A PostgreSQL whose daemon was killed lives on in embedded mode: finds it and ends it.
import { join } from 'node:path';
import { readJson } from '../instance.ts';
import { endProcess, isAlive, type ProcessId } from '../process-id.ts';
import type { Instance } from '../types.ts';

/** Identity of the embedded PostgreSQL that was started last. */
export const embeddedRecord = (instance: Instance): string =>
  join(instance.dir, 'run', 'embedded-postgres.json');

/** True when there was one to end. */
export async function endEmbeddedOrphan(instance: Instance): Promise<boolean> {
  const record = readJson(embeddedRecord(instance)) as ProcessId | undefined;
  if (record === undefined || !isAlive(record)) return false;
  await endProcess(record, 'SIGINT', 20_000);
  return true;
}
