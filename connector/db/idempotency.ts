// Idempotency keys and the answers given for them.
import { toDatabaseError, type Queryable } from './pool.ts';

/** A caller's key, and the digest of the request that it came with. */
export interface KeyClaim {
  caller: string;
  key: string;
  digest: string;
}

/** `claimed`: go on and keep the answer; `other`: the key belongs to another request. */
export type KnownKey =
  | { state: 'claimed' }
  | { state: 'running' }
  | { state: 'other' }
  | { state: 'answered'; status: number; body: string };

/** Claims a key that nobody used in the last 24 h. A claim without an answer after 2 minutes was left by a crash. */
export async function claimKey(db: Queryable, { caller, key, digest }: KeyClaim): Promise<KnownKey> {
  try {
    const { rowCount } = await db.query(
      `INSERT INTO iot.idempotency_key AS k (caller, key, digest) VALUES ($1, $2, $3)
       ON CONFLICT (caller, key) DO UPDATE SET digest = excluded.digest, status = NULL, body = NULL, created_at = now()
       WHERE k.created_at < now() - INTERVAL '24 hours'
          OR (k.status IS NULL AND k.digest = excluded.digest AND k.created_at < now() - INTERVAL '2 minutes')`,
      [caller, key, digest],
    );
    if (rowCount === 1) return { state: 'claimed' };
    const { rows } = await db.query<{ digest: string; status: number | null; body: string | null }>(
      'SELECT digest, status, body FROM iot.idempotency_key WHERE caller = $1 AND key = $2',
      [caller, key],
    );
    const [known] = rows;
    if (known !== undefined && known.digest !== digest) return { state: 'other' };
    if (known?.status == null || known.body === null) return { state: 'running' };
    return { state: 'answered', status: known.status, body: known.body };
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/** Keeps the answer of a claimed key. */
export async function keepAnswer(
  db: Queryable,
  claim: KeyClaim,
  status: number,
  body: string,
): Promise<void> {
  await db.query('UPDATE iot.idempotency_key SET status = $3, body = $4 WHERE caller = $1 AND key = $2', [
    claim.caller,
    claim.key,
    status,
    body,
  ]);
}

/** Gives a key back: the request failed in a way that may pass. */
export async function releaseKey(db: Queryable, { caller, key }: KeyClaim): Promise<void> {
  await db.query('DELETE FROM iot.idempotency_key WHERE caller = $1 AND key = $2 AND status IS NULL', [
    caller,
    key,
  ]);
}

/** Deletes keys that are no longer answered. */
export async function purgeKeys(db: Queryable): Promise<void> {
  await db.query(`DELETE FROM iot.idempotency_key WHERE created_at < now() - INTERVAL '24 hours'`);
}
