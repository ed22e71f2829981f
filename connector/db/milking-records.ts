// What a milking's record needs beside its messages: the tag read at the stall, the yield that was to be expected; and its publication.
import type { MilkSessionRecord } from '../../contract/records.ts';
import { outboxPut } from './outbox.ts';
import type { PoolClient } from './pool.ts';

/** A tag read at a stall. `at` in epoch ms. */
export interface TagRead {
  deviceId: number;
  farmId: number;
  stall: string;
  rfid: string;
  at: number;
}

/** Stores tag reads; returns the milkings without a tag of their own that they could belong to. */
export async function insertTagReads(
  client: PoolClient,
  reads: readonly TagRead[],
  beforeSeconds: number,
): Promise<number[]> {
  if (reads.length === 0) return [];
  const farmIds = reads.map((read) => read.farmId);
  const stalls = reads.map((read) => read.stall);
  const times = reads.map((read) => new Date(read.at));
  await client.query(
    `INSERT INTO iot.rfid_read (device_id, time, farm_id, stall, rfid)
     SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::int[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
    [reads.map((read) => read.deviceId), times, farmIds, stalls, reads.map((read) => read.rfid)],
  );
  const { rows } = await client.query<{ id: number }>(
    'SELECT * FROM iot.sessions_at_reads($1, $2, $3, make_interval(secs => $4)) AS id',
    [farmIds, stalls, times, beforeSeconds],
  );
  return rows.map((row) => row.id);
}

/**
 * Decides the tags of these milkings, and of others whose stalls and times they or the reads at `readIds` share. Returns id → tag
 * of the first, and of those others that have another one now.
 */
export async function associateTags(
  client: PoolClient,
  ids: readonly number[],
  readIds: readonly number[],
  beforeSeconds: number,
): Promise<ReadonlyMap<number, string | null>> {
  if (ids.length === 0 && readIds.length === 0) return new Map();
  const { rows } = await client.query<{ id: number; rfid: string | null }>({
    name: 'associate tags',
    text: 'SELECT id, rfid FROM iot.associate_tags($1, $2, make_interval(secs => $3))',
    values: [ids, readIds, beforeSeconds],
  });
  return new Map(rows.map((row) => [row.id, row.rfid]));
}

/**
 * Expected yield (kg) of these milkings, by id; null without enough history. And of later ones of the same animals whose
 * record says another by now.
 */
export async function expectedYields(
  client: PoolClient,
  ids: readonly number[],
  days: number,
  least: number,
): Promise<ReadonlyMap<number, number | null>> {
  const { rows } = await client.query<{ id: number; expected_kg: number | null }>({
    name: 'expected yields',
    text: 'SELECT id, expected_kg FROM iot.expected_yields($1, $2, $3)',
    values: [ids, days, least],
  });
  return new Map(rows.map((row) => [row.id, row.expected_kg]));
}

/** A milking's new record and revision. */
export interface Publication {
  id: number;
  sourceId: string;
  revision: number;
  record: MilkSessionRecord;
}

/** Stores the published records and puts them into the outbox. */
export async function publishMilkings(
  client: PoolClient,
  publications: readonly Publication[],
): Promise<void> {
  if (publications.length === 0) return;
  const revisions = publications.map((publication) => publication.revision);
  const records = publications.map((publication) => JSON.stringify(publication.record));
  await client.query({
    name: 'publish milkings',
    text: `WITH published AS (
       UPDATE iot.milk_session s SET revision = p.revision, record = p.record
       FROM unnest($1::bigint[], $2::text[], $3::int[], $4::jsonb[]) AS p (id, source_id, revision, record)
       WHERE s.id = p.id RETURNING p.source_id, p.revision, p.record)
     ${outboxPut('milk_session', 'published')}`,
    values: [
      publications.map((publication) => publication.id),
      publications.map((publication) => publication.sourceId),
      revisions,
      records,
    ],
  });
}
