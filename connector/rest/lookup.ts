// What queries are about: the device and the metric, or the problem that there is none.
import * as z from 'zod';
import type { Queryable } from '../db/pool.ts';
import { findDevices, type KnownDevice, type KnownMetric } from '../db/query-devices.ts';
import { noSuch, wrongField } from './problem.ts';

/** The farm where a uid is used by several. */
export const farmSchema = z.string().max(64).optional().describe('Code of the farm');

/** An animal as a parameter. */
export const animalSchema = z
  .string()
  .max(64)
  .optional()
  .describe('Its RFID tag, its ear tag, or what the meter calls it');

/** Yes, no, or both. */
export const flag = z.enum(['true', 'false']).optional();
export const isTrue = (text: 'true' | 'false' | undefined) =>
  text === undefined ? undefined : text === 'true';

/** The device; 404 when there is none, 400 when several farms have one of that uid. */
export async function theDevice(db: Queryable, uid: string, farm: string | undefined): Promise<KnownDevice> {
  return theOnly(await findDevices(db, uid, farm), uid, farm);
}

/** The device and the metric; as theDevice, and 404 when the catalogue has no such metric. */
export async function theSeries(
  db: Queryable,
  uid: string,
  farm: string | undefined,
  metricName: string,
): Promise<{ device: KnownDevice; metric: KnownMetric }> {
  const device = theOnly(await findDevices(db, uid, farm, metricName), uid, farm);
  if (device.metric === null)
    throw noSuch('metric_name', `metric '${metricName}' is not in the catalogue (config/metrics.yaml)`);
  return { device, metric: device.metric };
}

function theOnly<D extends KnownDevice>(
  [device, ...others]: readonly D[],
  uid: string,
  farm: string | undefined,
): D {
  if (device === undefined)
    throw noSuch('device_uid', `there is no device ${farm === undefined ? '' : `${farm}/`}${uid}`);
  if (others.length > 0)
    throw wrongField(
      'farm',
      `several farms have a device ${uid} (${[device, ...others].map((each) => each.farm).join(', ')}); name one`,
    );
  return device;
}

/** Rounds for people: hundredths. */
export const round = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 100) / 100;
