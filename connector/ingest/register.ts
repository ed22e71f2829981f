// Which devices a batch speaks of: known ones, newly discovered ones, and those that policy rejects.
import { deviceKey, putDevices, type Device, type Dimensions, type NewDevice } from '../db/dimensions.ts';
import { putFarmsOfTraffic, registerState } from '../db/new-devices.ts';
import type { PoolClient } from '../db/pool.ts';
import type { TopicAddress } from '../../contract/topics.ts';
import type { Decoded } from '../decode/message.ts';
import type { Item } from './item.ts';
import { admit, type IntakeQuotas } from './quota.ts';

/** Looks up the device of an address; undefined when policy or a person in Odoo rejected it. */
export type FindDevice = (address: TopicAddress) => Device | undefined;

/** The devices of a batch. `added` go into the dimensions after the commit. */
export interface BatchDevices {
  find: FindDevice;
  added: Device[];
  /** Why a device that nobody knows was not made known, by its key. */
  refused: ReadonlyMap<string, string>;
}

/** Puts unknown devices into the register as discovered, where policy and quotas allow. */
export async function registerDevices(
  client: PoolClient,
  items: readonly Item[],
  dimensions: Dimensions,
  policy: 'discover' | 'reject',
  quotas?: IntakeQuotas,
): Promise<BatchDevices> {
  const unknown = new Map<string, NewDevice>();
  for (const { decoded } of items) {
    if (decoded.kind !== 'data' && decoded.kind !== 'status') continue;
    const { farm, deviceUid, deviceType } = decoded.address;
    const key = deviceKey(farm, deviceUid);
    if (policy === 'reject' || dimensions.devices.has(key) || unknown.has(key)) continue;
    const data = decoded.kind === 'data' ? decoded.data : undefined;
    unknown.set(key, {
      farm,
      deviceUid,
      deviceType,
      name: deviceUid,
      profile: data?.profile ?? null,
      stall: data?.stall ?? null,
      seenAt: heardAt(decoded),
      state: 'discovered',
    });
  }
  const refused = quotas === undefined ? none : await refusals(client, [...unknown.values()], quotas);
  for (const key of refused.keys()) unknown.delete(key);
  const added = await putDevices(client, [...unknown.values()]);
  const addedByKey = new Map(added.map((device) => [deviceKey(device.farm, device.deviceUid), device]));
  return {
    added,
    refused,
    find: ({ farm, deviceUid }) => {
      const key = deviceKey(farm, deviceUid);
      const device = dimensions.devices.get(key) ?? addedByKey.get(key);
      return device?.state === 'rejected' ? undefined : device;
    },
  };
}

const none: ReadonlyMap<string, string> = new Map();

/** Makes the new farms that quotas allow; returns the devices that they do not, each with the reason. */
async function refusals(
  client: PoolClient,
  unknown: readonly NewDevice[],
  quotas: IntakeQuotas,
): Promise<ReadonlyMap<string, string>> {
  if (unknown.length === 0) return none;
  const farms = [...new Set(unknown.map(({ farm }) => farm))];
  const { newFarms, refused } = admit(unknown, await registerState(client, farms), quotas);
  await putFarmsOfTraffic(client, newFarms);
  const byKey = new Map<string, string>();
  for (const [index, reason] of refused) {
    const device = unknown[index];
    if (device !== undefined) byKey.set(deviceKey(device.farm, device.deviceUid), reason);
  }
  return byKey;
}

/** When a device was heard, epoch ms; what is said of it when it is gone (the last will) is not its own word. */
export function heardAt(decoded: Decoded): number | null {
  if (decoded.kind === 'data') return decoded.data.at ?? null;
  return decoded.kind === 'status' && decoded.status.state !== 'offline' ? decoded.at : null;
}
