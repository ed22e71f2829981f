// Names of batches: what the log says of one and its dead letters can be found by them.
import { randomBytes } from 'node:crypto';

/** Names for the batches of one process, such as `5f0c9a1e-17`. */
export function createBatchIds(): () => string {
  const run = randomBytes(4).toString('hex');
  let batches = 0;
  return () => `${run}-${++batches}`;
}
