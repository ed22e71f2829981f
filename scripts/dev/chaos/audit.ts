// The audit: ledger against database, database against Odoo.
import { createOdooClient } from '../../../connector/odoo/client.ts';
import { kgOf } from './ledger.ts';
import type { Load } from './load.ts';
import type { Stored } from './stored.ts';

/** What was found. The keys are those of the JSON line. */
export interface Findings {
  /** Messages that the broker acknowledged to the devices. */
  published: number;
  stored: number;
  lost: number;
  duplicates: number;
  /** Acknowledged by a broker that was killed before it had handed them on. */
  broker_lost: number;
  /** Messages without time that were on their way through a broker that was killed; in none of the counts above. */
  unsure: number;
  /** Of these, stored more often than once. */
  unsure_twice: number;
  dead_letters_expected: number;
  /** Dead letters that are there twice: after a crash between commit and acknowledgement. */
  dead_letters_twice: number;
  odoo_expected: number;
  /** Milkings that are in Odoo with the milk of all their stored messages. */
  odoo_found: number;
  odoo_duplicates: number;
  odoo_wrong: number;
}

interface OdooAccess {
  url: string;
  db: string;
  login: string;
  password: string;
}

/** Compares everything. */
export async function audit(farm: string, load: Load, stored: Stored, odoo: OdooAccess): Promise<Findings> {
  const times = await stored.since(0);
  const findings: Findings = {
    published: 0,
    stored: 0,
    lost: 0,
    duplicates: 0,
    broker_lost: 0,
    unsure: 0,
    unsure_twice: 0,
    dead_letters_expected: 0,
    dead_letters_twice: 0,
    odoo_expected: 0,
    odoo_found: 0,
    odoo_duplicates: 0,
    odoo_wrong: 0,
  };
  const expectedKg = new Map<string, number>();
  for (const { n, kind, milking, acknowledged, held, unsure } of load.sent) {
    const count = times.get(n) ?? 0;
    const source = load.milkings[milking];
    if (source !== undefined && count > 0)
      expectedKg.set(`${farm}/${source}`, (expectedKg.get(`${farm}/${source}`) ?? 0) + count * kgOf(n));
    if (unsure) {
      findings.unsure += 1;
      if (count > 1) findings.unsure_twice += 1;
      continue;
    }
    if (!acknowledged) continue;
    findings.published += 1;
    const isLetter = kind === 'poison';
    if (isLetter) findings.dead_letters_expected += 1;
    if (count > 0) findings.stored += 1;
    else if (held) findings.broker_lost += 1;
    else findings.lost += 1;
    if (isLetter) findings.dead_letters_twice += Math.max(0, count - 1);
    else findings.duplicates += Math.max(0, count - 1);
  }
  const inOdoo = await readOdoo(farm, odoo);
  findings.odoo_expected = expectedKg.size;
  for (const [source, kg] of expectedKg) {
    const [first, ...others] = inOdoo.get(source) ?? [];
    findings.odoo_duplicates += others.length;
    if (first === undefined) continue;
    if (Math.abs(first - kg) < 0.005) findings.odoo_found += 1;
    else findings.odoo_wrong += 1;
  }
  for (const source of inOdoo.keys()) if (!expectedKg.has(source)) findings.odoo_wrong += 1;
  return findings;
}

/** Yields (kg) in Odoo by source id. */
async function readOdoo(
  farm: string,
  { url, db, login, password }: OdooAccess,
): Promise<Map<string, number[]>> {
  const client = createOdooClient({ url, database: db, login, apiKey: password, transport: 'jsonrpc' });
  const rows = (await client.call('iot.milk.session', 'search_read', {
    domain: [['source_id', '=like', `${farm}/%`]],
    fields: ['source_id', 'yield_kg'],
  })) as { source_id: string; yield_kg: number }[];
  const yields = new Map<string, number[]>();
  for (const { source_id: source, yield_kg: kg } of rows)
    yields.set(source, [...(yields.get(source) ?? []), kg]);
  return yields;
}
