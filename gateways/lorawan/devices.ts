// Which device of ours an event speaks of: from the configuration, else from ChirpStack's own names and tags. Pure.
import { toTag } from '../../contract/animal-tag.ts';
import type { Envelope } from '../../contract/envelope.ts';
import { toDeviceType } from '../../contract/topics.ts';
import type { DeviceAddress } from '../shared/protocol.ts';
import type { DeviceInfo } from './events.ts';
import type { Model } from './model.ts';
import type { Settings } from './section.ts';

export interface Device {
  address: DeviceAddress;
  model: Model | undefined;
  /** What the envelope says of the place and the animal. */
  extra: Pick<Envelope, 'animal' | 'stall'>;
}

/** The device of an event; undefined when it is not listed and only listed ones are wanted. */
export function findDevice(farm: string, info: DeviceInfo, settings: Settings): Device | undefined {
  const listed = settings.devices.get(info.devEui);
  if (listed === undefined && !settings.discover) return undefined;
  const { tags } = info;
  const model =
    listed?.model ??
    settings.models.get(tags['profile'] ?? '') ??
    settings.assigned.get(info.deviceProfileName) ??
    settings.models.get(info.deviceProfileName.toLowerCase()) ??
    settings.models.values().find(({ fits }) => fits(info.deviceProfileName));
  const deviceType =
    listed?.type ??
    toDeviceType(tags['device_type'] ?? '') ??
    model?.deviceType ??
    settings.unknownDeviceType;
  const rfid = listed?.rfid ?? toTag(tags['rfid'] ?? '');
  const animalId = listed?.animalId ?? tags['animal_id']?.slice(0, 64);
  const animal = {
    ...(rfid === undefined ? {} : { rfid }),
    ...(animalId === undefined || animalId === '' ? {} : { id: animalId }),
  };
  return {
    address: { farm, deviceType, deviceUid: listed?.uid ?? info.devEui },
    model,
    extra: {
      ...(Object.keys(animal).length === 0 ? {} : { animal }),
      ...(listed?.stall === undefined ? {} : { stall: listed.stall }),
    },
  };
}
