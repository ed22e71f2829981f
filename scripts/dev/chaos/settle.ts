// The end of a run: all that can come has come, and both sides agree.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../ops/stack/types.ts';
import type { Compared, Connectors } from './connectors.ts';
import type { Sent } from './ledger.ts';
import type { Load } from './load.ts';
import type { Sender } from './sender.ts';
import type { Stored } from './stored.ts';

const patienceMs = 120_000;

/** Waits until all that can come has come: milkings closed, outbox empty but for what Odoo called stale. What never comes is the audit's business. */
export async function settle(load: Load, sender: Sender, stored: Stored, report: Report): Promise<void> {
  const deadline = Date.now() + patienceMs;
  let state = '';
  while (Date.now() < deadline) {
    const [row] = await stored.query(
      `SELECT (SELECT count(*) FROM iot.milk_session WHERE NOT closed) AS open,
              (SELECT count(*) FROM iot.outbox WHERE state IN ('pending', 'parked')) AS unsent`,
    );
    const known = await stored.since(load.sent.length - 1_000);
    const isCounted = ({ kind, unsure, gone }: Sent) =>
      kind !== 'record' && kind !== 'same' && !unsure && !gone;
    const missing = load.sent
      .slice(-1_000)
      .filter((message) => isCounted(message) && !known.has(message.n)).length;
    state = `${String(row?.['open'])} milkings open, ${String(row?.['unsent'])} records not in Odoo, ${missing} of the last 1,000 messages missing, ${sender.waiting()} not acknowledged`;
    if (Number(row?.['open']) + Number(row?.['unsent']) + missing + sender.waiting() === 0) return;
    await sleep(500);
  }
  report(`gave up waiting: ${state}`);
}

/** The load's oldest milkings are 60 days old. */
const comparedDays = 63;

/**
 * Has database and Odoo compared until nothing is sent again and nothing is on its way. Returns how many records, or days without
 * records that only Odoo has, still differ when patience ends.
 */
export async function agree(connectors: Connectors, stored: Stored, report: Report): Promise<number> {
  const deadline = Date.now() + patienceMs;
  let differing = Infinity;
  for (let round = 1; differing > 0 && Date.now() < deadline; round++) {
    if (round > 1) await sleep(1_000);
    const lines = await connectors.compare(comparedDays);
    const [row] = await stored.query(
      `SELECT count(*)::int AS unsettled FROM iot.outbox WHERE state <> 'sent'`,
    );
    if (lines === undefined) continue;
    differing = Number(row?.['unsettled']) + lines.reduce((sum, line) => sum + differences(line), 0);
    if (differing > 0) report(`comparison ${round}: ${differing} records of database and Odoo differ`);
  }
  return Number.isFinite(differing) ? differing : comparedDays;
}

/** A day on which Odoo has more cannot agree: what was stored in a database that was given up may be among it. */
function differences({ requeued, waiting, surplus, agrees }: Compared): number {
  const differing = requeued + waiting;
  return differing === 0 && !agrees && surplus === 0 ? 1 : differing;
}
