// What the database has of the load, by message number.
import { setTimeout as sleep } from 'node:timers/promises';
import { withClient, type Query } from '../../ops/stack/database.ts';
import { kgOf, kpaOf, messageOfKg, messageOfKpa } from './ledger.ts';
import type { Load } from './load.ts';

/** Looks into the database, for as long as it takes. */
export interface Stored {
  /** Waits until all that was made until now is committed. Returns the number from which on nothing is known. */
  caughtUp: () => Promise<number>;
  /** How often each message with this number or a later one is there; dead letters count too. */
  since: (from: number) => Promise<Map<number, number>>;
  /** How many of the messages that are equal byte for byte are there. */
  same: () => Promise<number>;
  /** Rows of a query, again and again until the database answers. */
  query: (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
}

/** `url` names the database itself, not a cable to it. */
export function createStored(url: string, farm: string, load: Load): Stored {
  async function patiently<T>(work: (query: Query) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await withClient(url, work);
      } catch (error) {
        // A table that is not there yet comes with the first connector; other mistakes in SQL are ours.
        const { code } = error as { code?: unknown };
        if (String(code).startsWith('42') && code !== '42P01') throw error;
        await sleep(250);
      }
    }
  }

  const since = (from: number): Promise<Map<number, number>> =>
    patiently(async (query) => {
      const times = new Map<number, number>();
      const count = (n: number): void => void times.set(n, (times.get(n) ?? 0) + 1);
      const rows = await query(
        `SELECT metric, value FROM iot.sensor_data
         WHERE farm_code = $1 AND (metric = 'milk_yield_increment' AND value > $2 OR metric = 'pressure' AND value > $3)`,
        [farm, kgOf(from - 0.5), kpaOf(from - 0.5)],
      );
      for (const { metric, value } of rows)
        count(metric === 'pressure' ? messageOfKpa(Number(value)) : messageOfKg(Number(value)));
      const letters = await query(
        `SELECT convert_from(payload, 'UTF8') AS text FROM iot.dead_letter WHERE topic LIKE $1`,
        [`dairy/${farm}/%`],
      );
      for (const { text } of letters) {
        const [, poison, kpa] = /"poison":(\d+)|"v":([\d.]+)\}\]/.exec(String(text)) ?? [];
        count(poison === undefined ? messageOfKpa(Number(kpa)) : Number(poison));
      }
      for (const n of times.keys()) if (n < from) times.delete(n);
      return times;
    });

  return {
    since,
    async same() {
      const [row] = await patiently((query) =>
        query(`SELECT count(*)::int AS stored FROM iot.sensor_data WHERE farm_code = $1 AND metric = 'ph'`, [
          farm,
        ]),
      );
      return Number(row?.['stored'] ?? 0);
    },
    query: (sql, values) => patiently((query) => query(sql, values)),
    async caughtUp() {
      // The broker hands on in order: when a gauge's message is there, all before it are.
      const from = load.sent.length;
      for (;;) {
        const mark =
          load.sent.findLast(({ acknowledged, kind }) => acknowledged && kind === 'gauge')?.n ?? -1;
        if (mark >= from && (await since(mark)).has(mark)) return from;
        await sleep(250);
      }
    },
  };
}
