// Writes what a batch means for milkings: what was said of them, and tags. Publication follows in publish-milkings.ts.
import type { Device } from '../db/dimensions.ts';
import {
  beginMilkings,
  loadMilkings,
  loadMilkingsById,
  type MilkingReference,
  type StoredMilking,
} from '../db/milking-load.ts';
import { closeMilkings, retireMilkings, saveMilkings, type MilkingToSave } from '../db/milking-save.ts';
import { insertTagReads, type TagRead } from '../db/milking-records.ts';
import type { PoolClient } from '../db/pool.ts';
import { settle, wireIdOf } from '../milkings/settle.ts';
import { viewOf } from '../milkings/view.ts';
import {
  publish,
  workOf,
  type DeviceById,
  type MilkingSettings,
  type PublishedMilking,
  type Work,
} from './publish-milkings.ts';
import type { DeviceMilkingEvent } from './milking-events.ts';
import { rowsThatTold } from './told.ts';

/** What a batch did to milkings: their new revisions, and which of its data messages told of one although their values were known. */
interface WrittenMilkings {
  published: PublishedMilking[];
  told: ReadonlySet<number>;
}

/** Applies a batch's events and tag reads. */
export async function writeMilkings(
  client: PoolClient,
  events: readonly DeviceMilkingEvent[],
  reads: readonly TagRead[],
  deviceById: DeviceById,
  settings: MilkingSettings,
): Promise<WrittenMilkings> {
  if (events.length === 0 && reads.length === 0) return { published: [], told: new Set() };
  await beginMilkings(
    client,
    events.map(({ device }) => device.id),
  );
  const { told, ...work } = await applyEvents(client, events);
  const readIds = await insertTagReads(client, reads, settings.rfidBeforeSeconds);
  return { published: await publish(client, { ...work, readIds }, deviceById, settings), told };
}

/** Closes milkings that have been silent too long; they are incomplete until their end turns up. */
export async function closeSilent(
  client: PoolClient,
  ids: readonly number[],
  deviceById: DeviceById,
  settings: MilkingSettings,
): Promise<PublishedMilking[]> {
  if (ids.length === 0) return [];
  const milkings = await loadMilkingsById(client, ids);
  await closeMilkings(client, ids);
  const touched = milkings.map((milking) => workOf({ ...milking, closed: true }));
  return publish(client, { touched, retired: [], readIds: [] }, deviceById, settings);
}

async function applyEvents(
  client: PoolClient,
  events: readonly DeviceMilkingEvent[],
): Promise<{ touched: Work[]; retired: StoredMilking[]; told: ReadonlySet<number> }> {
  const told = new Set<number>();
  if (events.length === 0) return { touched: [], retired: [], told };
  const stored = await loadFor(client, events);
  const toSave: MilkingToSave[] = [];
  const retired: StoredMilking[] = [];
  for (const [deviceId, mine] of Map.groupBy(events, ({ device }) => device.id)) {
    const kept = stored.get(deviceId) ?? [];
    const byKey = new Map(kept.map((milking) => [milking.sessionKey, milking]));
    const { changed, gone } = settle(
      kept,
      mine.map(({ event }) => event),
    );
    const [{ device }] = mine as [DeviceMilkingEvent];
    for (const row of rowsThatTold(mine, kept, changed)) told.add(row);
    toSave.push(...changed.map((milking) => toBeSaved(milking, device, byKey.get(milking.sessionKey))));
    retired.push(...gone.flatMap((key) => byKey.get(key) ?? []));
  }
  await retireMilkings(
    client,
    retired.map(({ id }) => id),
  );
  const saved = await saveMilkings(client, toSave);
  const touched = toSave.map((milking, index): Work => {
    const { id, revision } = saved[index] ?? { id: 0, revision: 0 };
    const before = stored.get(milking.deviceId)?.find(({ sessionKey }) => sessionKey === milking.sessionKey);
    return { ...milking, id, revision, record: before?.record ?? null, tag: milking.view.rfid };
  });
  return { touched, retired, told };
}

function toBeSaved(
  { sessionKey, wireId, evidence }: Pick<MilkingToSave, 'sessionKey' | 'wireId' | 'evidence'>,
  device: Device,
  before: StoredMilking | undefined,
): MilkingToSave {
  const view = viewOf(evidence);
  return {
    sessionKey,
    wireId,
    evidence,
    deviceId: device.id,
    farmId: before?.farmId ?? device.farmId,
    stall: view.stall ?? before?.stall ?? device.stall,
    closed: view.endedAt !== null || before?.closed === true,
    view,
  };
}

/** The milkings that the events can concern, by device. */
async function loadFor(
  client: PoolClient,
  events: readonly DeviceMilkingEvent[],
): Promise<ReadonlyMap<number, StoredMilking[]>> {
  const references = referencesOf(events);
  const milkings = await loadMilkings(client, references);
  const more = besideLoose(milkings, references);
  if (more.length > 0) {
    const known = new Set(milkings.map(({ id }) => id));
    milkings.push(...(await loadMilkings(client, more)).filter(({ id }) => !known.has(id)));
  }
  return Map.groupBy(milkings, ({ deviceId }) => deviceId);
}

/** Of each device and id the span of its messages: one look-up each, however many messages there are. */
function referencesOf(events: readonly DeviceMilkingEvent[]): MilkingReference[] {
  const byId = new Map<string, MilkingReference>();
  for (const { device, event } of events) {
    const wireId = wireIdOf(event);
    const key = `${device.id} ${wireId ?? ''}`;
    const known = byId.get(key);
    if (known === undefined) byId.set(key, { deviceId: device.id, wireId, from: event.at, to: event.at });
    else Object.assign(known, { from: Math.min(known.from, event.at), to: Math.max(known.to, event.at) });
  }
  return [...byId.values()];
}

/** Where messages without id are at hand, all milkings of their time are needed to tell whose they are. */
function besideLoose(
  milkings: readonly StoredMilking[],
  references: readonly MilkingReference[],
): MilkingReference[] {
  if (milkings.every(({ evidence }) => evidence.loose === undefined)) return [];
  const isTimed = new Set(
    references.filter(({ wireId }) => wireId === undefined).map(({ deviceId }) => deviceId),
  );
  return milkings.flatMap(({ deviceId, evidence: { loose = [] } }) => {
    const moments = loose.map(({ at }) => at);
    if (moments.length === 0 || isTimed.has(deviceId)) return [];
    return [{ deviceId, wireId: undefined, from: Math.min(...moments), to: Math.max(...moments) }];
  });
}
