// Writes what a batch means for milkings: transitions, tags, and for those that are over the record, its alerts and revisions.
import { isDeepStrictEqual } from 'node:util';
import { recordSource, type MilkSessionRecord } from '../../contract/records.ts';
import { clearedAlert, newAlert } from '../alerts/record.ts';
import { alertsOfMilkings, putAlerts, type AlertChange } from '../db/alerts.ts';
import type { Device } from '../db/dimensions.ts';
import {
  associateTags,
  expectedYields,
  insertTagReads,
  loadMilkings,
  loadMilkingsById,
  publishMilkings,
  saveMilkings,
  type Publication,
  type StoredMilking,
  type TagRead,
} from '../db/milkings.ts';
import type { PoolClient } from '../db/pool.ts';
import { abnormalShare, milkAlerts } from '../rules/milking.ts';
import type { LimitBook, Limits } from '../rules/limits.ts';
import { toRecord, type MilkingRules } from '../milkings/record.ts';
import { applyEvent, findMilking, openMilking, recordWireId } from '../milkings/transition.ts';
import type { DeviceMilkingEvent } from './rows.ts';

/** The settings of config/connector.yaml that milkings need, and the limits of each farm. */
export interface MilkingSettings {
  rules: Omit<MilkingRules, 'abnormalShare'>;
  limits: LimitBook;
  rfidBeforeSeconds: number;
  meanDays: number;
  meanLeastMilkings: number;
}

/** A milking that was published, for the live stream. */
export interface PublishedMilking {
  source: string;
  source_id: string;
  revision: number;
  record: MilkSessionRecord;
}

/** Finds a device by id. */
export type DeviceById = (id: number) => Device | undefined;

/** Applies a batch's events and tag reads. Returns the milkings that got a new revision. */
export async function writeMilkings(
  client: PoolClient,
  events: readonly DeviceMilkingEvent[],
  reads: readonly TagRead[],
  deviceById: DeviceById,
  settings: MilkingSettings,
): Promise<PublishedMilking[]> {
  if (events.length === 0 && reads.length === 0) return [];
  const touched = await applyEvents(client, events);
  const readTouched = await insertTagReads(client, reads, settings.rfidBeforeSeconds);
  const known = new Set(touched.map((milking) => milking.id));
  touched.push(
    ...(await loadMilkingsById(
      client,
      readTouched.filter((id) => !known.has(id)),
    )),
  );
  return publish(client, touched, deviceById, settings);
}

async function applyEvents(
  client: PoolClient,
  events: readonly DeviceMilkingEvent[],
): Promise<StoredMilking[]> {
  if (events.length === 0) return [];
  const byDevice = Map.groupBy(
    await loadMilkings(
      client,
      events.map(({ device, event: { wireId, event, at } }) => ({
        deviceId: device.id,
        wireId: wireId ?? (event === 'record' ? recordWireId(at) : undefined),
        at,
      })),
    ),
    (milking) => milking.deviceId,
  );
  const touched = new Set<StoredMilking>();
  for (const { device, event } of events) {
    const milkings = byDevice.get(device.id) ?? [];
    byDevice.set(device.id, milkings);
    let milking = findMilking(milkings, event);
    if (milking === undefined) {
      const taken = new Set(milkings.map(({ sessionKey }) => sessionKey));
      milking = {
        ...openMilking(event, taken),
        id: undefined,
        deviceId: device.id,
        farmId: device.farmId,
        stall: device.stall,
        record: null,
        revision: 0,
      };
      milkings.push(milking);
    }
    Object.assign(milking, applyEvent(milking, event));
    touched.add(milking);
  }
  await saveMilkings(client, [...touched]);
  return [...touched];
}

/** Closes milkings that have been silent too long; they are incomplete until their end turns up. */
export async function closeSilent(
  client: PoolClient,
  ids: readonly number[],
  deviceById: DeviceById,
  settings: MilkingSettings,
): Promise<PublishedMilking[]> {
  const milkings = await loadMilkingsById(client, ids);
  for (const milking of milkings) milking.closed = true;
  await saveMilkings(client, milkings);
  return publish(client, milkings, deviceById, settings);
}

async function publish(
  client: PoolClient,
  touched: readonly StoredMilking[],
  deviceById: DeviceById,
  settings: MilkingSettings,
): Promise<PublishedMilking[]> {
  const idOf = (milking: StoredMilking) => milking.id ?? 0;
  const tags = await associateTags(
    client,
    touched.filter((milking) => milking.rfid === null && milking.stall !== null).map(idOf),
    settings.rfidBeforeSeconds,
  );
  for (const milking of touched) milking.rfid ??= tags.get(idOf(milking)) ?? null;
  const closed = touched.filter((milking) => milking.closed);
  if (closed.length === 0) return [];
  const expected = await expectedYields(
    client,
    closed.map(idOf),
    settings.meanDays,
    settings.meanLeastMilkings,
  );
  const publications: LimitedPublication[] = [];
  for (const milking of closed) {
    const device = deviceById(milking.deviceId);
    if (device === undefined) continue;
    const limits = settings.limits.of(device);
    const rules = { ...settings.rules, abnormalShare: abnormalShare(limits) };
    const record = toRecord(milking, device, expected.get(idOf(milking)) ?? null, rules);
    if (isDeepStrictEqual(record, milking.record)) continue;
    const sourceId = `${device.farm}/${device.deviceUid}/${milking.sessionKey}`;
    publications.push({
      id: idOf(milking),
      sourceId,
      revision: milking.revision + 1,
      record,
      milking,
      limits,
    });
  }
  await publishMilkings(client, publications);
  await publishAlerts(client, publications);
  return publications.map(({ sourceId, revision, record }) => ({
    source: recordSource,
    source_id: sourceId,
    revision,
    record,
  }));
}

type LimitedPublication = Publication & { milking: StoredMilking; limits: Limits };

/** Raises the alerts that the records call for, changes those that read differently now, resolves those that no longer hold. */
async function publishAlerts(client: PoolClient, publications: readonly LimitedPublication[]): Promise<void> {
  const wanted = publications.map((publication) => ({
    publication,
    alerts: milkAlerts(publication.record, publication.limits),
  }));
  const again = publications.filter(({ revision }) => revision > 1);
  if (again.length === 0 && wanted.every(({ alerts }) => alerts.length === 0)) return;
  const stored = new Map(
    (
      await alertsOfMilkings(
        client,
        publications.map(({ id }) => id),
      )
    ).map((row) => [row.alert_key, row]),
  );
  const changes: AlertChange[] = [];
  for (const { publication, alerts } of wanted) {
    const { id, sourceId, record, milking } = publication;
    const base = { farmId: milking.farmId, deviceId: milking.deviceId, milkSessionId: id };
    for (const alert of alerts) {
      const key = `${sourceId}/${alert.alert_type}`;
      const before = stored.get(key)?.record;
      const next = newAlert({
        ...alert,
        farm: record.farm,
        device_uid: record.device_uid,
        rfid: record.rfid,
        milk_session: sourceId,
        raised_at: before?.raised_at ?? record.ended_at,
      });
      stored.delete(key);
      if (!isDeepStrictEqual(before, next)) changes.push({ ...base, key, record: next });
    }
    for (const [key, row] of stored) {
      if (row.milk_session_id !== id || row.record.state === 'resolved') continue;
      changes.push({ ...base, key, record: clearedAlert(row.record, record.ended_at) });
    }
  }
  await putAlerts(client, changes);
}
