// The devices that have been heard: their address, and their commands as downlinks.
import { isDeepStrictEqual } from 'node:util';
import type { Command } from '../../contract/commands.ts';
import type { Link } from '../shared/link.ts';
import type { Outcome, Services } from '../shared/protocol.ts';
import { findDevice, type Device } from './devices.ts';
import { downlinkMessage, queued, toDownlink } from './downlink.ts';
import type { ChirpEvent } from './events.ts';
import type { Settings } from './section.ts';

/** Devices that nobody has listed and that are taken all the same: more than a farm has, and an end for made-up EUIs. */
const mostUnlisted = 5_000;

interface Known extends Device {
  applicationId: string;
  unlisten: () => void;
}

export interface KnownDevices {
  /** The device of an event, listening for its commands from its first event on; undefined when it is not wanted. */
  of(event: ChirpEvent, settings: Settings): Known | undefined;
  /** Forgets those that new settings do not want, or call by another name. */
  reload(next: Settings): void;
  stop(): void;
}

/** `link` is the connection to ChirpStack's broker, if there is one now. */
export function createKnownDevices(services: Services, link: () => Link | undefined): KnownDevices {
  const known = new Map<string, Known>();

  const execute = (entry: Known, devEui: string, command: Command): Outcome => {
    const downlink = toDownlink(entry.model?.commands ?? [], command);
    if (typeof downlink === 'string') return { result: 'rejected', detail: downlink };
    const broker = link();
    if (broker === undefined) return { result: 'rejected', detail: 'downlinks need the MQTT integration' };
    if (!broker.isReady()) return { result: 'failed', detail: "ChirpStack's broker is not connected" };
    const message = downlinkMessage(entry.applicationId, devEui, downlink);
    broker.say(message.topic, message.payload);
    return queued(message.id);
  };

  return {
    of: ({ body }, settings) => {
      const { devEui, applicationId } = body.deviceInfo;
      const device = findDevice(services.farm, body.deviceInfo, settings);
      const before = known.get(devEui);
      if (device === undefined) return undefined;
      if (before !== undefined && isDeepStrictEqual(before.address, device.address))
        return Object.assign(before, device, { applicationId });
      if (before === undefined && known.size >= mostUnlisted && !settings.devices.has(devEui)) {
        const detail = `more than ${mostUnlisted} devices are known: others are taken only from lorawan.devices`;
        services.trouble('lorawan devices', detail);
        return undefined;
      }
      if (before === undefined)
        services.logger.info(
          { device: device.address.deviceUid, profile: device.model?.name ?? null },
          'device heard for the first time',
        );
      before?.unlisten();
      const entry: Known = { ...device, applicationId, unlisten: () => undefined };
      entry.unlisten = services.onCommand(device.address, (command) =>
        Promise.resolve(execute(entry, devEui, command)),
      );
      known.set(devEui, entry);
      return entry;
    },
    reload: (next) => {
      for (const [devEui, device] of known) {
        const uid = next.devices.get(devEui)?.uid ?? (next.discover ? devEui : undefined);
        if (uid === device.address.deviceUid) continue;
        device.unlisten();
        services.forget(device.address);
        known.delete(devEui);
      }
      if (known.size < mostUnlisted) services.trouble('lorawan devices', undefined);
    },
    stop: () => {
      for (const device of known.values()) device.unlisten();
    },
  };
}
