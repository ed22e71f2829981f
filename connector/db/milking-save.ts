// Saving what a batch has made of milkings: worked out anew, taken out, or called over.
import { yieldOf } from '../milkings/stats.ts';
import type { Kept } from '../milkings/settle.ts';
import type { View } from '../milkings/view.ts';
import type { PoolClient } from './pool.ts';

/** A milking to be saved under its device and key. */
export interface MilkingToSave extends Kept {
  deviceId: number;
  farmId: number;
  stall: string | null;
  closed: boolean;
  view: View;
}

/** Saves milkings, new ones and changed ones. Returns their ids and the revisions published so far, in the same order. */
export async function saveMilkings(
  client: PoolClient,
  milkings: readonly MilkingToSave[],
): Promise<{ id: number; revision: number }[]> {
  if (milkings.length === 0) return [];
  const { rows } = await client.query<{ id: number; deviceId: number; sessionKey: string; revision: number }>(
    {
      name: 'save milkings',
      text: `INSERT INTO iot.milk_session AS s (device_id, farm_id, session_key, wire_id, stall, rfid, animal_ref, started_at, last_at,
       ended_at, closed, complete, evidence, loose, yield_kg)
     SELECT device_id, farm_id, session_key, wire_id, stall, rfid, animal_ref, to_timestamp(started / 1000), to_timestamp(last / 1000),
       to_timestamp(ended / 1000), closed, complete, evidence, evidence ? 'loose', yield_kg
     FROM jsonb_to_recordset($1) AS m (device_id integer, farm_id integer, session_key text, wire_id text, stall text, rfid text,
       animal_ref text, started float8, last float8, ended float8, closed boolean, complete boolean, evidence jsonb, yield_kg float8)
     ON CONFLICT (device_id, session_key) DO UPDATE SET wire_id = excluded.wire_id, stall = excluded.stall,
       rfid = coalesce(excluded.rfid, s.read_rfid), read_rfid = CASE WHEN excluded.rfid IS NULL THEN s.read_rfid END,
       animal_ref = excluded.animal_ref, started_at = excluded.started_at, last_at = excluded.last_at,
       ended_at = excluded.ended_at, closed = excluded.closed, complete = excluded.complete, evidence = excluded.evidence,
       loose = excluded.loose, retired = false, yield_kg = excluded.yield_kg, heard_at = now()
     RETURNING id, device_id AS "deviceId", session_key AS "sessionKey", revision`,
      // Once as JSON: as fifteen arrays, with the evidence as text in one of them, it took this process three times as long.
      values: [JSON.stringify(milkings.map(rowOf))],
    },
  );
  const saved = new Map(rows.map((row) => [`${row.deviceId}/${row.sessionKey}`, row]));
  return milkings.map(({ deviceId, sessionKey }) => {
    const row = saved.get(`${deviceId}/${sessionKey}`);
    if (row === undefined) throw new Error(`milking ${deviceId}/${sessionKey} was not saved`);
    return { id: row.id, revision: row.revision };
  });
}

const rowOf = ({ deviceId, farmId, sessionKey, wireId, stall, closed, evidence, view }: MilkingToSave) => ({
  device_id: deviceId,
  farm_id: farmId,
  session_key: sessionKey,
  wire_id: wireId,
  stall,
  rfid: view.rfid,
  animal_ref: view.animalRef,
  started: view.startedAt,
  last: view.lastAt,
  ended: view.endedAt,
  closed,
  complete: view.complete,
  evidence,
  yield_kg: yieldOf(view.stats),
});

/** Takes out milkings whose messages turned out to be of others: what was never published goes, the rest stays as empty. */
export async function retireMilkings(client: PoolClient, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await client.query('DELETE FROM iot.milk_session WHERE id = ANY ($1) AND revision = 0', [ids]);
  await client.query(
    `UPDATE iot.milk_session SET retired = true, closed = true, complete = false, evidence = '{}', loose = false, yield_kg = 0
     WHERE id = ANY ($1)`,
    [ids],
  );
}

/** Calls open milkings over that were silent too long; they are incomplete until their end turns up. */
export async function closeMilkings(client: PoolClient, ids: readonly number[]): Promise<void> {
  await client.query('UPDATE iot.milk_session SET closed = true WHERE id = ANY ($1)', [ids]);
}
