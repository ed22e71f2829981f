// Modbus as a protocol of the gateway: the `modbus:` section of gateway.yaml, and what runs for it.
import { nearMatch } from '../../contract/near-match.ts';
import type { Protocol, Site } from '../shared/protocol.ts';
import { planReads } from './plan.ts';
import { runModbus } from './running.ts';
import { sectionSchema, type Section } from './section.ts';
import type { BusSettings, DeviceSettings, Line, ModbusSettings } from './settings.ts';

type BusSection = Section['buses'][number];

function resolve(section: Section, site: Site): ModbusSettings {
  const names = new Set<string>();
  const lines = new Set<string>();
  const buses = section.buses.map((bus, index): BusSettings => {
    const path = ['buses', index];
    if (names.has(bus.name)) site.complain([...path, 'name'], `bus '${bus.name}' exists twice`);
    names.add(bus.name);
    const line = resolveLine(bus, path, site);
    // Two queues on one wire would talk at the same time.
    const key = line.transport === 'tcp' ? '' : JSON.stringify(line);
    if (key !== '' && lines.has(key))
      site.complain(path, `another bus has the same line: put all devices of a line under one bus`);
    lines.add(key);
    const devices = resolveDevices(bus, path, site);
    const longest = (pause: 'pause_after_connect_ms' | 'pause_between_frames_ms') =>
      Math.max(0, ...devices.map(({ map }) => map[pause]));
    return {
      name: bus.name,
      line,
      timeoutMs: bus.timeout_ms,
      retryMaxMs: bus.retry_max_ms,
      pauseAfterConnectMs: longest('pause_after_connect_ms'),
      pauseBetweenFramesMs: Math.max(longest('pause_between_frames_ms'), silenceMs(line)),
      devices,
    };
  });
  return { buses, kgPerLitre: site.kgPerLitre, heartbeatMs: site.heartbeatMs };
}

/** Modbus RTU wants 3.5 characters of silence between frames; above 19,200 baud 1.75 ms. */
function silenceMs(line: Line): number {
  return line.transport === 'rtu' ? Math.max(1.75, (3.5 * 11 * 1000) / line.baudRate) : 0;
}

function resolveLine(bus: BusSection, path: (string | number)[], site: Site): Line {
  const transport = bus.transport ?? (bus.serial === undefined ? 'tcp' : 'rtu');
  if (transport === 'rtu') {
    if (bus.serial === undefined) site.complain(path, `transport rtu needs serial: { path: /dev/... }`);
    const {
      path: device,
      baud,
      data_bits,
      parity,
      stop_bits,
    } = bus.serial ?? {
      path: '',
      baud: 9600,
      data_bits: 8,
      parity: 'even',
      stop_bits: 1,
    };
    return { transport, path: device, baudRate: baud, dataBits: data_bits, parity, stopBits: stop_bits };
  }
  if (bus.host === undefined) site.complain(path, `transport ${transport} needs a host`);
  return { transport, host: bus.host ?? '', port: bus.port };
}

function resolveDevices(bus: BusSection, path: (string | number)[], site: Site): DeviceSettings[] {
  const names = [...site.profiles.values()]
    .filter(({ modbus }) => modbus !== undefined)
    .map(({ profile }) => profile);
  const units = new Set<number>();
  return bus.devices.flatMap((device, index): DeviceSettings[] => {
    const here = [...path, 'devices', index];
    site.claim(device.uid, here);
    if (units.has(device.unit))
      site.complain([...here, 'unit'], `unit ${device.unit} is taken on bus '${bus.name}'`);
    units.add(device.unit);
    const profile = site.profiles.get(device.profile);
    if (profile?.modbus === undefined) {
      const near = nearMatch(device.profile, names);
      const hint = near === undefined ? `known: ${names.join(', ')}` : `did you mean '${near}'?`;
      site.complain([...here, 'profile'], `there is no Modbus profile '${device.profile}'; ${hint}`);
      return [];
    }
    for (const metric of Object.keys(device.calibration)) {
      if (!profile.modbus.registers.some((register) => register.metric === metric))
        site.complain(
          [...here, 'calibration', metric],
          `profile '${device.profile}' has no metric '${metric}'`,
        );
    }
    return [
      {
        uid: device.uid,
        unit: device.unit,
        stall: device.stall,
        calibration: device.calibration,
        address: { farm: site.farm, deviceType: profile.device_type, deviceUid: device.uid },
        map: profile.modbus,
        plans: planReads(profile.modbus),
      },
    ];
  });
}

export const protocol: Protocol<Section, ModbusSettings> = {
  name: 'modbus',
  schema: sectionSchema,
  resolve,
  start: runModbus,
};
