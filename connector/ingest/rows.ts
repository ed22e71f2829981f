// What a batch will write, worked out from its decoded messages. No I/O.
import type { ArrivalStamp } from '../db/arrival-stamps.ts';
import type { DeadLetter, Replay } from '../db/dead-letters.ts';
import type { StatusRow } from '../db/device-status.ts';
import type { CommandNews } from '../db/commands.ts';
import { deviceKey, type Device } from '../db/dimensions.ts';
import type { TagRead } from '../db/milking-records.ts';
import type { PresenceRow } from '../db/presence.ts';
import { readingKey, type ReadingRow } from '../db/readings.ts';
import type { DecodedData } from '../decode/decoded.ts';
import type { Item } from './item.ts';
import { whyDead, type IncomingMessage, type Outcome } from '../sources/message.ts';
import type { FindDevice } from './register.ts';
import { tagClaimOf, type TagClaim } from './tag-claims.ts';
import { isBetter, type Verdict } from './verdicts.ts';

/**
 * A data message whose device is known. `rows` are its readings, first occurrences in the batch only; of several values of one
 * moment in the batch the first occurrence has the one that is kept.
 */
export interface DataRow {
  device: Device;
  data: DecodedData;
  at: number;
  rows: ReadingRow[];
  tag: TagClaim | undefined;
}

/**
 * What becomes of each message of the batch. `verdicts`: of its data messages' points; undefined when all are new. `told`: the data
 * messages of known values that changed a milking.
 */
export function outcomesOf(
  items: readonly Item[],
  data: readonly DataRow[],
  verdicts: readonly Verdict[][] | undefined,
  find: FindDevice,
  refused: ReadonlyMap<string, string> = new Map(),
  told: ReadonlySet<number> = new Set(),
): Outcome[] {
  let next = 0;
  return items.map(({ decoded }): Outcome => {
    if (decoded.kind === 'dead' || decoded.kind === 'ignored') return decoded;
    if (find(decoded.address) === undefined) {
      const { farm, deviceUid } = decoded.address;
      const reason =
        refused.get(deviceKey(farm, deviceUid)) ??
        `device ${farm}/${deviceUid} is not registered; add it to devices in config/connector.yaml, accept it in Odoo or set intake.unknown_devices: discover`;
      return { kind: 'dead', reason };
    }
    const row = data[next];
    if (decoded.kind !== 'data' || row?.data !== decoded.data)
      return { kind: 'stored', points: 0, duplicates: none };
    const mine = verdicts?.[next] ?? noVerdicts;
    const isNews = told.has(next);
    next += 1;
    const refusedTag = row.tag !== undefined && 'refused' in row.tag ? row.tag.refused : undefined;
    if (refusedTag !== undefined && row.data.points.length === 0) return { kind: 'dead', reason: refusedTag };
    const outcome: Outcome = { kind: 'stored', points: row.data.points.length, duplicates: none };
    if (mine.length === 0 && refusedTag === undefined && !isNews) return outcome;
    const duplicates = indexesOf(mine, (verdict) => verdict === 'same');
    const conflicts = indexesOf(mine, (verdict) => typeof verdict === 'object');
    return {
      ...outcome,
      ...(duplicates.size > 0 ? { duplicates } : {}),
      ...(conflicts.size > 0 ? { conflicts } : {}),
      ...(refusedTag === undefined ? {} : { refusedTag }),
      ...(isNews ? { changedMilking: true } : {}),
    };
  });
}

const none: ReadonlySet<number> = new Set();
const noVerdicts: readonly Verdict[] = [];

const indexesOf = (verdicts: readonly Verdict[], is: (verdict: Verdict) => boolean): ReadonlySet<number> =>
  verdicts.some(is) ? new Set(verdicts.flatMap((verdict, index) => (is(verdict) ? index : []))) : none;

/** The batch's dead letters; those that are being replayed are there already. */
export function deadLettersOf(items: readonly Item[], outcomes: readonly Outcome[]): DeadLetter[] {
  const taken = new Set<string>();
  return items.flatMap(({ message }, index) => {
    const reason = whyDead(outcomes[index]);
    if (reason === undefined || message.deadLetterId !== undefined) return [];
    const { topic, arrivedAt, origin, redelivered } = message;
    const payload = payloadOf(message);
    if (origin !== undefined) {
      const key = `${origin} ${topic} ${Buffer.from(payload).toString('latin1')}`;
      if (redelivered && taken.has(key)) return [];
      taken.add(key);
    }
    return [{ topic, payload, reason, arrivedAt, origin, redelivered }];
  });
}

/** What was sent; of points that were decoded beforehand the envelope that says the same. */
function payloadOf({ payload, decoded }: IncomingMessage): Uint8Array {
  if (payload.length > 0 || decoded?.kind !== 'data') return payload;
  const { at, points } = decoded.data;
  const wire = points.map(({ metric, time, value, quality }) => ({
    m: metric,
    t: time,
    v: value,
    q: quality,
  }));
  return Buffer.from(JSON.stringify({ v: 1, at, points: wire }));
}

/** The dead letters that the batch replays. */
export function replaysOf(items: readonly Item[], outcomes: readonly Outcome[]): Replay[] {
  return items.flatMap(({ message: { deadLetterId: id } }, index) => {
    const outcome = outcomes[index];
    if (id === undefined || outcome === undefined) return [];
    return [{ id, reason: whyDead(outcome) ?? null }];
  });
}

/** The batch's data messages with their reading rows. */
export function dataRowsOf(
  items: readonly Item[],
  find: FindDevice,
  metricIds: ReadonlyMap<string, number>,
): DataRow[] {
  const isFirst = firstOccurrences();
  const repeated: ReadingRow[] = [];
  const data = items.flatMap(({ decoded }) => {
    const device = decoded.kind === 'data' ? find(decoded.address) : undefined;
    if (decoded.kind !== 'data' || device === undefined || decoded.data.at === undefined) return [];
    const rows: ReadingRow[] = [];
    for (const point of decoded.data.points) {
      const metricId = metricIds.get(point.metric);
      if (metricId === undefined) continue;
      const row: ReadingRow = {
        deviceId: device.id,
        metricId,
        time: point.time,
        value: point.value,
        quality: point.quality,
      };
      (isFirst(device.id, metricId, point.time) ? rows : repeated).push(row);
    }
    const { data } = decoded;
    return [{ device, data, at: decoded.data.at, rows, tag: tagClaimOf(device, data) }];
  });
  if (repeated.length > 0) keepBetter(data, repeated);
  return data;
}

/** Puts the value that is kept of each moment in place of the first one that came. */
function keepBetter(data: readonly DataRow[], repeated: readonly ReadingRow[]): void {
  const byKey = new Map(data.flatMap(({ rows }) => rows.map((row) => [keyOf(row), row] as const)));
  for (const { value, quality, ...key } of repeated) {
    const row = byKey.get(keyOf(key));
    if (row !== undefined && isBetter({ value, quality }, row)) Object.assign(row, { value, quality });
  }
}

const keyOf = ({ deviceId, metricId, time }: Pick<ReadingRow, 'deviceId' | 'metricId' | 'time'>) =>
  readingKey(deviceId, metricId, time);

/** Tells first readings from repeated ones. Without readingKey, which would be half of the work on a batch. */
function firstOccurrences(): (deviceId: number, metricId: number, time: number) => boolean {
  // Most series have one moment in a batch; only those with more get a set.
  const seen = new Map<number, number | Set<number>>();
  return (deviceId, metricId, time) => {
    const series = deviceId * 65_536 + metricId;
    const times = seen.get(series);
    if (times === time) return false;
    if (times === undefined) seen.set(series, time);
    else if (typeof times === 'number') seen.set(series, new Set([times, time]));
    else if (times.has(time)) return false;
    else times.add(time);
    return true;
  };
}

/** The batch's tags read at a stall by readers that do not milk, as far as they count there. */
export function tagReadsOf(rows: readonly DataRow[]): TagRead[] {
  return rows.flatMap(({ device, data, at, tag }) => {
    if (tag === undefined || 'refused' in tag || data.rfid === undefined) return [];
    return [{ deviceId: device.id, farmId: device.farmId, stall: tag.stall, rfid: data.rfid, at }];
  });
}

/** The batch's answers to commands: of each command the one that says most. */
export function commandNewsOf(items: readonly Item[], find: FindDevice): CommandNews[] {
  const news = new Map<string, CommandNews>();
  for (const { decoded } of items) {
    if (decoded.kind !== 'status' || decoded.status.command === undefined) continue;
    const device = find(decoded.address);
    const { id, result, detail = null, value = null } = decoded.status.command;
    if (device === undefined) continue;
    const state = result === 'timeout' ? 'timed_out' : result;
    const known = news.get(id);
    if (known !== undefined && weight(known.state) >= weight(state)) continue;
    news.set(id, { requestId: id, deviceId: device.id, state, detail, value });
  }
  return [...news.values()];
}

const weight = (state: CommandNews['state']) => (state === 'accepted' ? 0 : state === 'timed_out' ? 1 : 2);

/** The batch's statuses, the last of each device; an answer to a command is no news of the state. */
export function statusRowsOf(items: readonly Item[], find: FindDevice): (StatusRow & PresenceRow)[] {
  const last = new Map<number, StatusRow & PresenceRow>();
  for (const { decoded } of items) {
    const device = decoded.kind === 'status' ? find(decoded.address) : undefined;
    if (decoded.kind !== 'status' || decoded.status.command !== undefined || device === undefined) continue;
    const { state, detail = null, via = last.get(device.id)?.via ?? null, removed = false } = decoded.status;
    last.set(device.id, { deviceId: device.id, at: decoded.at, state, detail, via, removed });
  }
  return [...last.values()];
}

/** The batch's stamps, the last of each origin. */
export function stampsOf(items: readonly Item[]): ArrivalStamp[] {
  const last = new Map<string, ArrivalStamp>();
  for (const { stamp } of items) if (stamp !== undefined) last.set(stamp.origin, stamp);
  return [...last.values()];
}
