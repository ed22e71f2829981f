// What runs for the modbus section: a bus per line, a poller per device; a reload touches only what differs.
import { isDeepStrictEqual } from 'node:util';
import type { Running, Services } from '../shared/protocol.ts';
import { createBus, type Bus } from './bus.ts';
import { executeCommand } from './command.ts';
import { pollDevice } from './poller.ts';
import type { BusSettings, DeviceSettings, ModbusSettings } from './settings.ts';

interface RunningDevice {
  settings: DeviceSettings;
  stop(): Promise<void>;
}

interface RunningBus {
  settings: BusSettings;
  bus: Bus;
  devices: Map<string, RunningDevice>;
}

/** Everything of a bus but its devices: a change of it needs a new connection. */
const lineOf = (settings: BusSettings) => ({ ...settings, devices: [] });

/** Starts to poll. No bus has to answer yet. */
export function runModbus(settings: ModbusSettings, services: Services): Running<ModbusSettings> {
  let current = settings;
  const buses = new Map<string, RunningBus>();

  const startDevice = (running: RunningBus, device: DeviceSettings) => {
    const abort = new AbortController();
    const polling = pollDevice(device, {
      bus: running.bus,
      services,
      kgPerLitre: current.kgPerLitre,
      heartbeatMs: current.heartbeatMs,
      timeoutMs: running.settings.timeoutMs,
      retryMaxMs: running.settings.retryMaxMs,
      signal: abort.signal,
    });
    const offCommand = services.onCommand(device.address, (command, signal) =>
      executeCommand(device, running.bus, command, signal),
    );
    running.devices.set(device.uid, {
      settings: device,
      stop: async () => {
        offCommand();
        abort.abort();
        await polling;
      },
    });
  };
  const startBus = (bus: BusSettings) => {
    const running: RunningBus = { settings: bus, bus: createBus(bus, services), devices: new Map() };
    buses.set(bus.name, running);
    for (const device of bus.devices) startDevice(running, device);
  };
  const stopBus = async (running: RunningBus) => {
    const stopping = [...running.devices.values()].map((device) => device.stop());
    await running.bus.close();
    await Promise.all(stopping);
    services.trouble(`bus/${running.settings.name}`, undefined);
  };
  const updateBus = async (running: RunningBus, next: BusSettings) => {
    running.settings = next;
    const wanted = new Map(next.devices.map((device) => [device.uid, device]));
    for (const [uid, device] of running.devices) {
      if (isDeepStrictEqual(device.settings, wanted.get(uid))) wanted.delete(uid);
      else {
        running.devices.delete(uid);
        await device.stop();
      }
    }
    for (const device of wanted.values()) startDevice(running, device);
  };

  for (const bus of settings.buses) startBus(bus);
  return {
    reload: async (next) => {
      current = next;
      const wanted = new Map(next.buses.map((bus) => [bus.name, bus]));
      const known = [...buses.values()].flatMap(({ devices }) => [...devices.values()]);
      const kept = new Set(next.buses.flatMap(({ devices }) => devices.map(({ uid }) => uid)));
      for (const [name, running] of buses) {
        const bus = wanted.get(name);
        if (bus !== undefined && isDeepStrictEqual(lineOf(bus), lineOf(running.settings))) {
          wanted.delete(name);
          await updateBus(running, bus);
        } else {
          buses.delete(name);
          await stopBus(running);
        }
      }
      for (const bus of wanted.values()) startBus(bus);
      for (const { settings: device } of known) if (!kept.has(device.uid)) services.forget(device.address);
    },
    stop: async () => {
      await Promise.all([...buses.values()].map(stopBus));
      buses.clear();
    },
  };
}
