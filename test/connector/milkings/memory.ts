// The way of a batch with everything in memory: the decisions are the product's, only loading and saving are not.
import type { Device } from '../../../connector/db/dimensions.ts';
import { readingKey, type StoredValue } from '../../../connector/db/readings.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import { milkingEventsOf } from '../../../connector/ingest/milking-events.ts';
import { dataRowsOf, tagReadsOf } from '../../../connector/ingest/rows.ts';
import { isBetter, verdictsOf } from '../../../connector/ingest/verdicts.ts';
import { toRecord } from '../../../connector/milkings/record.ts';
import { settle, type Kept } from '../../../connector/milkings/settle.ts';
import { viewOf } from '../../../connector/milkings/view.ts';
import { message } from '../ingest/message-fixture.ts';
import { meters, reader, readerStall, stalls, type DayMessage } from './day.ts';
import { rules } from './event.ts';

const metricIds = new Map(
  ['milk_yield_increment', 'milk_flow', 'milk_yield', 'milking_duration'].map((name, index) => [
    name,
    index + 1,
  ]),
);
const devices = new Map(
  [...meters, reader].map((deviceUid, index): [string, Device] => [
    deviceUid,
    {
      id: index + 1,
      farmId: 1,
      farm: 'f',
      deviceUid,
      deviceType: deviceUid === reader ? 'rfid_reader' : 'milk_meter',
      profile: null,
      stall: deviceUid === reader ? readerStall : (stalls[deviceUid] ?? null),
      state: 'registered',
    },
  ]),
);

/** How long before the start of a milking a tag may be read, ms. */
const tagBeforeMs = 300_000;

const itemOf = ({ device, data }: DayMessage): Item => ({
  message: message(),
  decoded: {
    kind: 'data',
    address: { farm: 'f', deviceType: 'milk_meter', deviceUid: device, messageType: 'data' },
    data: structuredClone(data),
  },
  stamp: undefined,
});

/** A farm in memory. */
export function createFarm() {
  const readings = new Map<string, StoredValue>();
  const reads = new Map<string, { at: number; rfid: string; stall: string }>();
  const kept = new Map<number, Map<string, Kept>>();

  function batch(messages: readonly DayMessage[]): void {
    const find = (address: { deviceUid: string }) => devices.get(address.deviceUid);
    const data = dataRowsOf(messages.map(itemOf), find, metricIds);
    const existing = new Map<string, StoredValue>();
    for (const row of data.flatMap(({ rows }) => rows)) {
      const key = readingKey(row.deviceId, row.metricId, row.time);
      const before = readings.get(key);
      if (before !== undefined) existing.set(key, before);
      if (before === undefined || isBetter(row, before))
        readings.set(key, { value: row.value, quality: row.quality });
    }
    const events = milkingEventsOf(data, verdictsOf(data, existing, metricIds));
    for (const [deviceId, mine] of Map.groupBy(events, ({ device }) => device.id)) {
      const known = kept.get(deviceId) ?? new Map<string, Kept>();
      kept.set(deviceId, known);
      const { changed, gone } = settle(
        [...known.values()],
        mine.map(({ event }) => event),
      );
      for (const key of gone) known.delete(key);
      for (const each of changed)
        // The database hands it back as JSON.
        known.set(each.sessionKey, JSON.parse(JSON.stringify(each)) as Kept);
    }
    for (const read of tagReadsOf(data)) reads.set(`${read.at} ${read.stall} ${read.rfid}`, read);
  }

  /** The milkings' records by source id, as they are once every milking is over. */
  function records() {
    const all = [...devices.values()].flatMap((device) =>
      [...(kept.get(device.id)?.values() ?? [])].map(({ sessionKey, evidence }) => ({
        device,
        sessionKey,
        view: viewOf(evidence),
      })),
    );
    return new Map(
      all
        .map(({ device, sessionKey, view }) => {
          const rfid = view.rfid ?? tagOf(device, view);
          return [
            `${device.deviceUid}/${sessionKey}`,
            toRecord({ ...view, rfid }, device, null, rules),
          ] as const;
        })
        .sort(([left], [right]) => (left < right ? -1 : 1)),
    );

    /** The read nearest to the start, up to the end, after the stall's milking before. */
    function tagOf(device: Device, { startedAt, endedAt, lastAt }: ReturnType<typeof viewOf>): string | null {
      const before = all
        .filter((other) => other.device === device && other.view.startedAt < startedAt)
        .map(({ view }) => view.endedAt ?? view.lastAt);
      const from = Math.max(-Infinity, ...before);
      const [nearest] = [...reads.values()]
        .filter(
          ({ at, stall }) =>
            stall === device.stall && at >= startedAt - tagBeforeMs && at <= (endedAt ?? lastAt) && at > from,
        )
        .sort(
          (one, other) =>
            Math.abs(one.at - startedAt) - Math.abs(other.at - startedAt) ||
            one.at - other.at ||
            (one.rfid < other.rfid ? -1 : 1),
        );
      return nearest?.rfid ?? null;
    }
  }

  return { batch, records };
}
