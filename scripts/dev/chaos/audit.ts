// The audit: ledger against database, database against Odoo.
import { createOdooClient } from '../../../connector/odoo/client.ts';
import type { Report } from '../../ops/stack/types.ts';
import { kgOf } from './ledger.ts';
import type { Load } from './load.ts';
import { wrongMilkings, type TrueMilking } from './records.ts';
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
  /** Stored in a database that was given up for an older copy, and not sent again as their devices do not date them. */
  restored_away: number;
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
  /** Milkings that only Odoo has, and whose messages went with a database that was given up: the product leaves them alone. */
  odoo_surplus: number;
  /** Milkings of the database and of Odoo that are missing, too many, or of another animal or yield than the meters told. */
  wrong_milkings: number;
  /** Of the messages without time that are equal byte for byte: missing, and stored too often. */
  same_lost: number;
  same_twice: number;
}

interface OdooAccess {
  url: string;
  db: string;
  login: string;
  password: string;
}

/** Compares everything; reports each message that is lost or there twice, and each milking of a meter that is wrong. */
export async function audit(
  farm: string,
  load: Load,
  stored: Stored,
  odoo: OdooAccess,
  report: Report,
): Promise<Findings> {
  const times = await stored.since(0);
  const findings: Findings = {
    published: 0,
    stored: 0,
    lost: 0,
    duplicates: 0,
    broker_lost: 0,
    restored_away: 0,
    unsure: 0,
    unsure_twice: 0,
    dead_letters_expected: 0,
    dead_letters_twice: 0,
    odoo_expected: 0,
    odoo_found: 0,
    odoo_duplicates: 0,
    odoo_wrong: 0,
    odoo_surplus: 0,
    wrong_milkings: 0,
    same_lost: 0,
    same_twice: 0,
  };
  const expectedKg = new Map<string, number>();
  for (const { n, kind, milking, topic, timed, retain, acknowledged, held, unsure, gone } of load.sent) {
    if (kind === 'record' || kind === 'same') continue;
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
    else if (gone) findings.restored_away += 1;
    else if (held) findings.broker_lost += 1;
    else {
      findings.lost += 1;
      report(`lost: message ${n} of ${topic}${timed ? '' : ', without a time'}${retain ? ', retained' : ''}`);
    }
    if (count > 1) report(`there ${count} times: message ${n} of ${topic}${retain ? ', retained' : ''}`);
    if (isLetter) findings.dead_letters_twice += Math.max(0, count - 1);
    else findings.duplicates += Math.max(0, count - 1);
  }
  const rows = await readOdoo(farm, odoo);
  const inOdoo = new Map<string, number[]>();
  for (const { source_id: source, yield_kg: kg } of rows)
    if (!isRecord(source)) inOdoo.set(source, [...(inOdoo.get(source) ?? []), kg]);
  findings.odoo_expected = expectedKg.size;
  for (const [source, kg] of expectedKg) {
    const [first, ...others] = inOdoo.get(source) ?? [];
    findings.odoo_duplicates += others.length;
    if (first === undefined) continue;
    if (Math.abs(first - kg) < 0.005) findings.odoo_found += 1;
    else findings.odoo_wrong += 1;
  }
  const gone = new Set(
    load.sent
      .filter((message) => message.gone)
      .map(({ milking }) => `${farm}/${load.milkings[milking] ?? ''}`),
  );
  for (const source of inOdoo.keys())
    if (!expectedKg.has(source)) {
      findings[gone.has(source) ? 'odoo_surplus' : 'odoo_wrong'] += 1;
      if (!gone.has(source)) report(`milking ${source}: only in Odoo, ${String(inOdoo.get(source))} kg`);
    }
  const inDatabase = await stored.query(
    `SELECT d.device_uid AS uid, s.record->>'rfid' AS rfid, (s.record->>'yield_kg')::float8 AS kg,
            f.code || '/' || d.device_uid || '/' || s.session_key AS source
     FROM iot.milk_session s JOIN iot.device d ON d.id = s.device_id JOIN iot.farm f ON f.id = s.farm_id WHERE f.code = $1`,
    [farm],
  );
  const ofMeters = inDatabase.filter(({ source }) => !isRecord(String(source)));
  const isRight = ({ source, kg }: Record<string, unknown>) =>
    Math.abs(Number(kg) - (expectedKg.get(String(source)) ?? Infinity)) < 0.005;
  const agree = ofMeters.filter(isRight).length;
  for (const { source, kg } of ofMeters.filter((row) => !isRight(row)))
    report(
      `milking ${String(source)}: ${String(kg)} kg, its messages have ${expectedKg.get(String(source)) ?? 'none'}, Odoo ${String(inOdoo.get(String(source)))}`,
    );
  const records = rows.filter(({ source_id: source }) => isRecord(source));
  const isLeft = leftInOdoo(load, inDatabase);
  findings.wrong_milkings =
    Math.max(ofMeters.length, expectedKg.size) -
    agree +
    findings.odoo_wrong +
    wrongMilkings(load.truth(), inDatabase.filter(({ source }) => isRecord(String(source))).map(ofDatabase)) +
    wrongMilkings(load.truth(), records.filter((row) => !isLeft(row)).map(ofOdoo));
  findings.odoo_surplus += records.filter(isLeft).length;
  return { ...findings, ...(await auditSame(load, stored)) };
}

/** Milk that Odoo has under a key that its milking lost with a database that was given up: corrected first, told anew in another order. */
function leftInOdoo(
  load: Load,
  inDatabase: readonly Record<string, unknown>[],
): (milking: OdooMilking) => boolean {
  const known = new Set(inDatabase.map(({ source }) => source));
  const tags = new Set(
    load.sent
      .filter(({ kind, gone }) => kind === 'record' && gone)
      .map(({ payload }) => (JSON.parse(payload) as { rfid_tag: string }).rfid_tag),
  );
  return ({ source_id: source, rfid_tag: rfid, yield_kg: kg }) =>
    kg > 0 && !known.has(source) && rfid !== false && tags.has(rfid);
}

/** A milking of a record meter, by its source id: farm/r3/key. */
const isRecord = (source: string) => source.split('/')[1]?.startsWith('r') === true;

const ofDatabase = ({ uid, rfid, kg }: Record<string, unknown>): TrueMilking => ({
  uid: uid as string,
  rfid: rfid as string,
  kg: Number(kg),
});

const ofOdoo = ({ source_id: source, rfid_tag: rfid, yield_kg: kg }: OdooMilking): TrueMilking => ({
  uid: source.split('/')[1] ?? '',
  rfid: rfid === false ? '' : rfid,
  kg,
});

/** Equal messages have no number: only how many there are can be told. One that is unsure may be there not at all or twice. */
async function auditSame(load: Load, stored: Stored): Promise<Pick<Findings, 'same_lost' | 'same_twice'>> {
  const count = await stored.same();
  const sent = load.sent.filter(({ kind }) => kind === 'same');
  const sure = sent.filter(
    ({ acknowledged, held, unsure, gone }) => acknowledged && !held && !unsure && !gone,
  ).length;
  const unsure = sent.filter((message) => message.unsure).length;
  return { same_lost: Math.max(0, sure - count), same_twice: Math.max(0, count - sent.length - unsure) };
}

interface OdooMilking {
  source_id: string;
  rfid_tag: string | false;
  yield_kg: number;
}

/** Milkings in Odoo. */
async function readOdoo(farm: string, { url, db, login, password }: OdooAccess): Promise<OdooMilking[]> {
  const client = createOdooClient({ url, database: db, login, apiKey: password, transport: 'jsonrpc' });
  return (await client.call('iot.milk.session', 'search_read', {
    domain: [['source_id', '=like', `${farm}/%`]],
    fields: ['source_id', 'rfid_tag', 'yield_kg'],
  })) as OdooMilking[];
}
