// What a batch will write, worked out from its decoded messages. No I/O.
import type { ArrivalStamp } from '../db/arrival-stamps.ts';
import type { DeadLetter } from '../db/dead-letters.ts';
import type { StatusRow } from '../db/device-status.ts';
import type { Device } from '../db/dimensions.ts';
import type { TagRead } from '../db/milk-sessions.ts';
import { readingKey, type ReadingRow } from '../db/readings.ts';
import type { DecodedData } from '../decode/decoded.ts';
import type { MilkingEvent } from '../sessions/transition.ts';
import type { Item } from './item.ts';
import type { FindDevice } from './register.ts';

/** A data message whose device is known. `rows` are its readings, first occurrences in the batch only. */
export interface DataRow {
  device: Device;
  data: DecodedData;
  at: number;
  rows: ReadingRow[];
}

/** A milking event and the device it came from. */
export interface DeviceMilkingEvent {
  device: Device;
  event: MilkingEvent;
}

/** The batch's dead letters: what could not be decoded, and what came from devices that policy rejects. */
export function deadLettersOf(items: readonly Item[], find: FindDevice): DeadLetter[] {
  return items.flatMap(({ message: { topic, payload }, decoded }) => {
    if (decoded.kind === 'dead') return [{ topic, payload, reason: decoded.reason }];
    if (decoded.kind === 'ignored' || find(decoded.address) !== undefined) return [];
    const { farm, deviceUid } = decoded.address;
    const reason = `device ${farm}/${deviceUid} is not registered; add it to devices in config/connector.yaml or set intake.unknown_devices: discover`;
    return [{ topic, payload, reason }];
  });
}

/** The batch's data messages with their reading rows. */
export function dataRowsOf(
  items: readonly Item[],
  find: FindDevice,
  metricIds: ReadonlyMap<string, number>,
): DataRow[] {
  const taken = new Set<string>();
  return items.flatMap(({ decoded }) => {
    const device = decoded.kind === 'data' ? find(decoded.address) : undefined;
    if (decoded.kind !== 'data' || device === undefined || decoded.data.at === undefined) return [];
    const rows: ReadingRow[] = [];
    for (const point of decoded.data.points) {
      const metricId = metricIds.get(point.metric);
      if (metricId === undefined) continue;
      const key = readingKey(device.id, metricId, point.time);
      if (taken.has(key)) continue;
      taken.add(key);
      rows.push({
        deviceId: device.id,
        metricId,
        time: point.time,
        value: point.value,
        quality: point.quality,
      });
    }
    return [{ device, data: decoded.data, at: decoded.data.at, rows }];
  });
}

/** The batch's milking events. `duplicates` are the keys of readings that were stored before. */
export function milkingEventsOf(
  rows: readonly DataRow[],
  duplicates: ReadonlySet<string>,
  metricIds: ReadonlyMap<string, number>,
): DeviceMilkingEvent[] {
  return rows.flatMap(({ device, data, at, rows: readings }) => {
    if (data.session === undefined) return [];
    const fresh = new Set(
      readings
        .map((row) => readingKey(row.deviceId, row.metricId, row.time))
        .filter((key) => !duplicates.has(key)),
    );
    const good = (point: { quality: number }) => point.quality === 0;
    const points = data.points.filter(good);
    // Each key once: of two values for one moment only the first is stored, so only that one counts.
    const newPoints = data.points
      .filter((point) => fresh.delete(readingKey(device.id, metricIds.get(point.metric) ?? -1, point.time)))
      .filter(good);
    const { id: wireId, event } = data.session;
    const { rfid, animalRef, stall } = data;
    return [{ device, event: { wireId, event, at, points, newPoints, rfid, animalRef, stall } }];
  });
}

/** The batch's tags read at a stall by readers that do not milk. */
export function tagReadsOf(rows: readonly DataRow[]): TagRead[] {
  return rows.flatMap(({ device, data, at }) => {
    const stall = data.stall ?? device.stall;
    if (data.session !== undefined || data.rfid === undefined || stall === null) return [];
    return [{ deviceId: device.id, farmId: device.farmId, stall, rfid: data.rfid, at }];
  });
}

/** The batch's statuses, the last of each device. */
export function statusRowsOf(items: readonly Item[], find: FindDevice): StatusRow[] {
  const last = new Map<number, StatusRow>();
  for (const { decoded } of items) {
    const device = decoded.kind === 'status' ? find(decoded.address) : undefined;
    if (decoded.kind !== 'status' || device === undefined) continue;
    const { state, detail = null } = decoded.status;
    last.set(device.id, { deviceId: device.id, at: decoded.at, state, detail });
  }
  return [...last.values()];
}

/** The batch's stamps, the last of each origin. */
export function stampsOf(items: readonly Item[]): ArrivalStamp[] {
  const last = new Map<string, ArrivalStamp>();
  for (const { stamp } of items) if (stamp !== undefined) last.set(stamp.origin, stamp);
  return [...last.values()];
}
