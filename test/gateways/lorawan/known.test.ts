// Devices that are heard and not listed: taken up to a number, so that made-up EUIs fill no memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvent } from '../../../gateways/lorawan/events.ts';
import { createKnownDevices } from '../../../gateways/lorawan/known.ts';
import type { ListedDevice, Settings } from '../../../gateways/lorawan/section.ts';
import { recordServices } from '../support/services.ts';

const euiOf = (index: number) => index.toString(16).padStart(16, '0');
const joined = (index: number) => {
  const event = readEvent('join', { deviceInfo: { devEui: euiOf(index) } });
  assert.ok(typeof event === 'object');
  return event;
};

test('made-up device EUIs have an end; listed devices and those that are known go on', () => {
  const { services, troubles } = recordServices();
  const devices = createKnownDevices(services, () => undefined);
  const listed: ListedDevice = {
    devEui: euiOf(77_777),
    uid: 'collar-1',
    model: undefined,
    type: 'collar',
    rfid: undefined,
    animalId: undefined,
    stall: undefined,
  };
  const settings: Settings = {
    mqtt: undefined,
    http: undefined,
    discover: true,
    unknownDeviceType: 'collar',
    models: new Map(),
    assigned: new Map(),
    devices: new Map([[listed.devEui, listed]]),
  };
  const taken = Array.from(
    { length: 6_000 },
    (_, index) => devices.of(joined(index), settings) !== undefined,
  );
  assert.equal(taken.filter(Boolean).length, 5_000);
  assert.match(troubles.get('lorawan devices') ?? '', /only from lorawan\.devices/);
  assert.ok(devices.of(joined(0), settings));
  assert.equal(devices.of(joined(77_777), settings)?.address.deviceUid, 'collar-1');
  devices.reload({ ...settings, discover: false });
  assert.equal(troubles.size, 0);
  devices.stop();
});
