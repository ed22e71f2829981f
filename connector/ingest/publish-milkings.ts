// Publishes milkings that are over: their tags, records and revisions, and of those whose messages went to others that nothing is left.
import { isDeepStrictEqual } from 'node:util';
import { recordSource, type MilkSessionRecord } from '../../contract/records.ts';
import { loadDevices, type Device } from '../db/dimensions.ts';
import { associateTags, expectedYields, publishMilkings } from '../db/milking-records.ts';
import { loadMilkingsById, type StoredMilking } from '../db/milking-load.ts';
import type { PoolClient } from '../db/pool.ts';
import { toRecord, toVoid, type MilkingRules } from '../milkings/record.ts';
import { viewOf, type View } from '../milkings/view.ts';
import type { LimitBook } from '../rules/limits.ts';
import { abnormalShare } from '../rules/milking.ts';
import { publishAlerts, type AlertQuota, type LimitedPublication } from './milking-alerts.ts';

/** The settings of config/connector.yaml that milkings need, and the limits of each farm. */
export interface MilkingSettings {
  rules: Omit<MilkingRules, 'abnormalShare' | 'mostYieldKg' | 'meanDays' | 'meanLeastMilkings'>;
  /** As of now: the catalogue may change. */
  mostYieldKg: () => number;
  limits: LimitBook;
  /** The time zone of a farm that has its own; others have that of the rules. */
  zoneOf?: (farm: string) => string | undefined;
  /** Without it a device may raise what it likes. */
  alertQuota?: AlertQuota;
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

/** A milking that a batch has changed. `tag` is the one that counts, whoever read it. */
export interface Work extends Omit<StoredMilking, 'readRfid'> {
  view: View;
  tag: string | null;
}

/** What a batch has done to milkings; the reads at `readIds` may give these another tag. */
interface Done {
  touched: Work[];
  retired: readonly StoredMilking[];
  readIds: readonly number[];
}

/** A stored milking to work on. */
export function workOf(milking: StoredMilking): Work {
  const view = viewOf(milking.evidence);
  return { ...milking, view, tag: view.rfid ?? milking.readRfid };
}

/** Publishes what has changed; returns the new revisions. */
export async function publish(
  client: PoolClient,
  { touched, retired, readIds }: Done,
  deviceById: DeviceById,
  settings: MilkingSettings,
): Promise<PublishedMilking[]> {
  const all = [...touched];
  const ids = new Set(touched.map(({ id }) => id));
  const withOthers = async (found: Iterable<number>) => {
    const others = [...found].filter((id) => !ids.has(id));
    for (const id of others) ids.add(id);
    all.push(...(await loadMilkingsById(client, others)).map(workOf));
  };
  const atStalls = [...touched, ...retired].filter(({ stall }) => stall !== null).map(({ id }) => id);
  const tags = await associateTags(client, atStalls, readIds, settings.rfidBeforeSeconds);
  await withOthers(tags.keys());
  for (const work of all) work.tag = work.view.rfid ?? tags.get(work.id) ?? work.tag;
  const empty = retired.filter(({ revision }) => revision > 0);
  const closed = all.filter((work) => work.closed);
  if (closed.length === 0 && empty.length === 0) return [];
  const expected = await expectedYields(
    client,
    [...closed, ...empty].map(({ id }) => id),
    settings.meanDays,
    settings.meanLeastMilkings,
  );
  for (const { id } of empty) ids.add(id);
  await withOthers(expected.keys());
  const find = await devicesFor(client, [...all, ...empty], deviceById);
  const publications = [
    ...all
      .filter((work) => work.closed)
      .flatMap((work) => publicationOf(work, expected.get(work.id) ?? null, find, settings)),
    ...empty.flatMap((milking) => voidOf(milking, find, settings)),
  ];
  await publishMilkings(client, publications);
  await publishAlerts(client, publications, settings.alertQuota);
  return publications.map(({ sourceId, revision, record }) => ({
    source: recordSource,
    source_id: sourceId,
    revision,
    record,
  }));
}

function publicationOf(
  work: Work,
  expectedKg: number | null,
  find: DeviceById,
  settings: MilkingSettings,
): LimitedPublication[] {
  const device = find(work.deviceId);
  if (device === undefined) return [];
  const limits = settings.limits.of(device);
  const { meanDays, meanLeastMilkings } = settings;
  const mostYieldKg = settings.mostYieldKg();
  const rules = {
    ...settings.rules,
    timezone: settings.zoneOf?.(device.farm) ?? settings.rules.timezone,
    meanDays,
    meanLeastMilkings,
    mostYieldKg,
    abnormalShare: abnormalShare(limits),
  };
  const view = { ...work.view, rfid: work.tag };
  const record = toRecord(view, { ...device, stall: work.stall }, expectedKg, rules);
  if (isDeepStrictEqual(record, work.record)) return [];
  return [
    {
      id: work.id,
      sourceId: sourceIdOf(device, work),
      revision: work.revision + 1,
      record,
      milking: work,
      limits,
      mostYieldKg,
    },
  ];
}

function voidOf(milking: StoredMilking, find: DeviceById, settings: MilkingSettings): LimitedPublication[] {
  const device = find(milking.deviceId);
  if (device === undefined || milking.record === null) return [];
  const record = toVoid(milking.record);
  const sourceId = sourceIdOf(device, milking);
  return [
    {
      id: milking.id,
      sourceId,
      revision: milking.revision + 1,
      record,
      milking,
      limits: settings.limits.of(device),
      mostYieldKg: settings.mostYieldKg(),
    },
  ];
}

const sourceIdOf = ({ farm, deviceUid }: Device, { sessionKey }: { sessionKey: string }) =>
  `${farm}/${deviceUid}/${sessionKey}`;

/** Another member may have met a device that this one does not know yet. */
async function devicesFor(
  client: PoolClient,
  milkings: readonly { deviceId: number }[],
  deviceById: DeviceById,
): Promise<DeviceById> {
  const unknown = new Set(
    milkings.map(({ deviceId }) => deviceId).filter((id) => deviceById(id) === undefined),
  );
  if (unknown.size === 0) return deviceById;
  const loaded = new Map((await loadDevices(client, [...unknown])).map((device) => [device.id, device]));
  return (id) => deviceById(id) ?? loaded.get(id);
}
