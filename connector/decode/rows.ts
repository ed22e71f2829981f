// Rows of the REST API (one value each, by natural names) into data messages, one a device.
import { unknownMetric, type MetricCatalogue } from '../../contract/metrics.ts';
import {
  canonicalUnit,
  isKnownUnit,
  toBuiltIn,
  toCanonical,
  unitMismatch,
  unknownUnit,
} from '../../contract/units.ts';
import { quality } from '../../contract/envelope.ts';
import { firstIssue, safeParse } from '../../contract/safe-parse.ts';
import {
  deviceTypes,
  isName,
  toDeviceType,
  type DeviceType,
  type TopicAddress,
} from '../../contract/topics.ts';
import type { DecodedPoint } from './decoded.ts';
import { isWrongClock, tooOld } from './device-time.ts';
import type { DecodeContext } from './message.ts';
import { momentIn, parseMoment, type Moment } from './moment.ts';
import { isUsualRow, rowSchema, type Row } from './row.ts';

/** What rows need to know. */
export interface RowContext extends DecodeContext {
  /** Type of a device that is known already. */
  deviceTypeOf: (farm: string, deviceUid: string) => DeviceType | undefined;
}

/**
 * The rows of one device, in their order. `at` is undefined for rows without a time: the moment of arrival counts.
 * `rowOf` has the row's number for each point, -1 for points that come along (battery, signal).
 */
export interface DeviceRows {
  address: TopicAddress;
  at: number | undefined;
  /** As in DecodedData. */
  saidAt?: number;
  points: DecodedPoint[];
  rowOf: number[];
}

/** Rows by device, and those that cannot be taken: number of the row → reason. */
export interface DecodedRows {
  devices: DeviceRows[];
  rejected: Map<number, string>;
}

/** A batch of rows while it is decoded. */
interface Batch {
  now: number;
  context: RowContext;
  /** By farm and uid; a string is the reason why the rows of this device cannot be taken. */
  byKey: Map<string, DeviceRows | string>;
  devices: DeviceRows[];
  momentOf: (timestamp: string | number, zone: () => string | undefined) => Moment;
}

/** Decodes rows that arrived at `now` (epoch ms). */
export function decodeRows(rows: readonly unknown[], now: number, context: RowContext): DecodedRows {
  const batch: Batch = { now, context, byKey: new Map(), devices: [], momentOf: lastMoment() };
  const rejected = new Map<number, string>();
  for (const [index, raw] of rows.entries()) {
    const reason = isUsualRow(raw) ? takeRow(raw, index, batch) : takeUnusual(raw, index, batch);
    if (reason !== undefined) rejected.set(index, reason);
  }
  return { devices: batch.devices, rejected };
}

/** The schema knows what is wrong, and the rare shapes. */
function takeUnusual(raw: unknown, index: number, batch: Batch): string | undefined {
  const row = safeParse(rowSchema, raw);
  return row.success ? takeRow(row.data, index, batch) : firstIssue(row.error, 'row');
}

/** momentIn that remembers its last answer: the rows of a batch mostly say the same moment, with its offset. */
function lastMoment(): Batch['momentOf'] {
  let known: string | number | undefined;
  let time: number | undefined;
  return (timestamp, zone) => {
    if (timestamp !== known) time = parseMoment(timestamp);
    known = timestamp;
    return time === undefined ? momentIn(timestamp, zone) : { time, isExact: true };
  };
}

/** Adds a row to its device's; a string is the reason why it cannot be taken. */
function takeRow(row: Row, index: number, batch: Batch): string | undefined {
  const { now, context, byKey, devices } = batch;
  const farmGiven = row.farm ?? row.farm_id;
  if (farmGiven === undefined) return 'farm: the code of the farm is missing';
  const farm = String(farmGiven);
  const name = row.metric_name ?? row.metric;
  if (name === undefined) return 'metric_name: missing';
  const metric = context.catalogue.get(name);
  if (metric === undefined) return `metric_name: ${unknownMetric(name, context.catalogue)}`;
  const given = row.metric_value ?? row.value;
  if (given === undefined) return 'metric_value: missing';
  const unit = row.metric_unit ?? row.unit ?? metric.unit;
  const value = unit === metric.unit ? given : converted(given, unit, metric.unit, context);
  if (value === undefined) return `metric_unit: ${unitProblem(unit, name, metric.unit, context.catalogue)}`;
  const { timestamp } = row;
  const hasTime = timestamp !== undefined && timestamp !== null;
  const zone = () => context.zoneOf(farm, row.device_uid);
  const moment = hasTime ? batch.momentOf(timestamp, zone) : undefined;
  if (moment !== undefined && 'problem' in moment) return `timestamp: '${timestamp}' ${moment.problem}`;
  const said = moment?.time;
  const reason = said === undefined ? undefined : tooOld(said, now, context);
  if (reason !== undefined) return `timestamp: ${reason}`;
  const isWrong = said !== undefined && isWrongClock(said, now, context);
  const time = isWrong ? undefined : said;

  const key = `${farm}/${row.device_uid}`;
  let device = byKey.get(key);
  if (typeof device === 'string') return device;
  if (device === undefined || time === undefined) {
    const address = device?.address ?? addressOf(farm, row.device_uid, row.device_type, context);
    if (typeof address === 'string') {
      byKey.set(key, address);
      return address;
    }
    device = { address, at: time, ...(isWrong ? { saidAt: said } : {}), points: [], rowOf: [] };
    devices.push(device);
    // Each row without a time gets a moment of its own, so it travels alone.
    if (time !== undefined) byKey.set(key, device);
  }
  const { min = -Infinity, max = Infinity } = metric;
  const usual = isWrong || moment?.isExact === false ? quality.clockUnsynchronised : quality.good;
  add(device, index, name, time, value, value >= min && value <= max ? usual : quality.outOfRange);
  if (typeof row.battery_level === 'number') add(device, -1, 'battery', time, row.battery_level, usual);
  if (typeof row.signal_strength === 'number') add(device, -1, 'rssi', time, row.signal_strength, usual);
  return undefined;
}

function converted(
  value: number,
  unit: string,
  to: string,
  { kgPerLitre, catalogue: { units = new Map() } }: Batch['context'],
): number | undefined {
  const code = spellings[unit] ?? unit;
  if (canonicalUnit(code, units) !== to) return undefined;
  const builtIn = toBuiltIn(value, code, units);
  return toCanonical(builtIn.value, builtIn.unit, kgPerLitre);
}

const unitProblem = (unit: string, name: string, wanted: string, { units }: MetricCatalogue): string =>
  isKnownUnit(unit, units) ? unitMismatch(unit, name, wanted, units) : unknownUnit(unit, units);

/** How people write units beside UCUM. */
const spellings: Readonly<Record<string, string>> = { '°C': 'Cel', '°F': '[degF]' };

function add(
  device: DeviceRows,
  row: number,
  metric: string,
  at: number | undefined,
  value: number,
  q: number,
) {
  device.points.push({ metric, time: at ?? Number.NaN, value, quality: q });
  device.rowOf.push(row);
}

function addressOf(
  farm: string,
  deviceUid: string,
  type: string | undefined,
  context: RowContext,
): TopicAddress | string {
  if (!isName(farm)) return `farm_id: '${farm}' is not a farm code (letters, digits, . _ : -, at most 64)`;
  if (!isName(deviceUid))
    return `device_uid: '${deviceUid}' is not a device uid (letters, digits, . _ : -, at most 64)`;
  const deviceType =
    context.deviceTypeOf(farm, deviceUid) ?? (type === undefined ? undefined : toDeviceType(type));
  if (deviceType !== undefined) return { farm, deviceUid, deviceType, messageType: 'data' };
  if (type === undefined)
    return `device_type: device ${farm}/${deviceUid} is not known yet, so its type is needed`;
  return `device_type: '${type}' is none of ${deviceTypes.join(', ')}`;
}
