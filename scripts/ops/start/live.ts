// The live status in the foreground: one changing line on a TTY, elsewhere a line now and then and at every change.
import { setTimeout as sleep } from 'node:timers/promises';
import { fullDisks } from '../stack/disk.ts';
import type { EnvValues } from '../stack/types.ts';
import { lookAtConnector } from './connector-api.ts';
import { statusLine } from './view.ts';

const quietMs = 15_000;
/** In the background nobody watches: the log keeps the changes and one line an hour. */
const backgroundQuietMs = 3_600_000;

interface Live {
  env: EnvValues;
  /** Where data is: the disks below are watched. */
  folders: readonly string[];
  isBackground: boolean;
}

/** Shows the status until `signal` fires. `lastMilking` is asked each time. */
export async function showLive(
  { env, folders, isBackground }: Live,
  lastMilking: () => string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const hasOdoo = (env['ODOO_URL'] ?? '') !== '';
  const { stdout } = process;
  const pauseMs = isBackground ? backgroundQuietMs : quietMs;
  let saidAt = 0;
  let saidTroubles = '';
  while (!signal.aborted) {
    const seen = await lookAtConnector(env);
    // First what a person can mend: the rest follows from it.
    const view = { ...seen, troubles: [...fullDisks(folders), ...seen.troubles] };
    const line = statusLine(view, lastMilking(), hasOdoo);
    const troubles = view.troubles.join();
    if (stdout.isTTY) {
      stdout.write(`\r\u001b[2K${line.slice(0, stdout.columns - 1)}`);
    } else if (Date.now() - saidAt > pauseMs || troubles !== saidTroubles) {
      stdout.write(`${line}\n`);
      saidAt = Date.now();
      saidTroubles = troubles;
    }
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  }
  if (stdout.isTTY) stdout.write('\n');
}
