// What else lives on the farm: collars, feeders, sensors and tanks. Pure: the same seed and second, the same farm.
import type { Cow } from './cow.ts';
import type { Message } from './foreign-meters.ts';
import { between, createRandom, normal, roundTo } from './random.ts';

/** Simulated seconds between two reports of one collar, visits of one feeder, values of one sensor. */
export const every = { collar: 900, feeder: 300, sensor: 120 } as const;

export const applicationId = '5d1f7f4e-0000-4000-8000-000000000001';

/** Device EUI of cow `n`'s collar. */
export const collarEui = (n: number) => `5da1c011a4${n.toString(16).padStart(6, '0')}`;

/** A collar's report as docs/lorawan-collar.md lays it out, by day and night and the cow's own ways. */
export function collarPayload(seed: number, n: number, report: number): Buffer {
  const random = createRandom(seed, 11, n, report);
  // Every eighth cow is in heat for a while: she walks much and ruminates little.
  const inHeat = n % 8 === 3 && report % 96 < 12;
  const minutes = every.collar / 60;
  const rumination = Math.round(between(random, 3, 8) * (inHeat ? 0.5 : 1));
  const lying = Math.round(between(random, 2, minutes - rumination));
  const activity = Math.round(Math.min(1000, between(random, 20, 60) * (inHeat ? 4 : 1)));
  const bytes = Buffer.alloc(19);
  bytes.writeUInt8(0x11, 0);
  bytes.writeUInt8(Math.max(5, 98 - (report % 90)), 1);
  bytes.writeUInt8(minutes, 2);
  bytes.writeInt16BE(Math.round((38.6 + 0.15 * normal(random) + (inHeat ? 0.4 : 0)) * 100), 3);
  const packed = (activity << 14) | (rumination << 7) | lying;
  bytes.writeUIntBE(packed, 5, 3);
  bytes.writeUInt16BE(Math.round(activity * 1.5), 8);
  bytes.writeInt32BE(Math.round((23.8103 + 0.0008 * normal(random)) * 1e7), 10);
  bytes.writeInt32BE(Math.round((90.4125 + 0.0008 * normal(random)) * 1e7), 14);
  bytes.writeUInt8(0, 18);
  return bytes;
}

/** ChirpStack's event for that report. */
export function collarEvent(seed: number, cow: Cow, n: number, report: number, time: string): Message {
  const random = createRandom(seed, 12, n, report);
  const devEui = collarEui(n);
  return {
    topic: `application/${applicationId}/device/${devEui}/event/up`,
    payload: JSON.stringify({
      // The same report has the same id, and no other run's.
      deduplicationId: `${devEui}-${time}`,
      time,
      deviceInfo: {
        applicationId,
        applicationName: 'farm',
        deviceProfileName: 'smart-dairy-collar',
        deviceName: `Collar ${cow.earTag}`,
        devEui,
        tags: { rfid: cow.rfid },
      },
      fCnt: report,
      fPort: 10,
      data: collarPayload(seed, n, report).toString('base64'),
      rxInfo: [
        {
          gatewayId: '0016c001f153a14c',
          rssi: -Math.round(between(random, 60, 115)),
          snr: roundTo(between(random, -5, 11), 1),
        },
      ],
    }),
  };
}

/** One cow at a concentrate feeder. */
export function feederVisit(
  farm: string,
  seed: number,
  feeder: number,
  visit: number,
  cow: Cow,
  time: string,
): Message {
  const random = createRandom(seed, 13, feeder, visit);
  const portion = roundTo(between(random, 0.4, 2.2), 2);
  return {
    topic: `dairy/${farm}/feeder/feeder-0${feeder}/data`,
    payload: JSON.stringify({
      device_id: `feeder-0${feeder}`,
      timestamp: time,
      animal_id: cow.earTag,
      rfid_tag: cow.rfid,
      feed_amount_kg: portion,
      stock_kg: roundTo(Math.max(20, 800 - (visit % 500) * 1.3), 1),
    }),
  };
}

/** Sensors that post over HTTP. */
export const sensors = ['cold-store', 'barn-climate'] as const;

/** A sensor's message; without a clock of its own it has no time. */
export function sensorReading(
  seed: number,
  sensor: (typeof sensors)[number],
  atS: number,
): Record<string, number> {
  const random = createRandom(seed, 14, sensor.length, Math.floor(atS / every.sensor));
  const day = Math.sin((atS / 86_400) * 2 * Math.PI);
  const [temperature, humidity] =
    sensor === 'cold-store' ? [3.4 + 0.2 * day, 78] : [26 + 5 * day, 68 - 12 * day];
  return {
    temperature: roundTo(temperature + 0.15 * normal(random), 1),
    humidity: roundTo(humidity + normal(random), 1),
    battery_level: Math.max(5, 100 - Math.floor(atS / 36_000)),
  };
}

/** A bulk tank's registers as config/profiles/bulk-tank-controller-modbus.yaml counts them, written down a second time on purpose. */
export function tankTables(seed: number, tank: number, atS: number) {
  // Two milkings a day fill it: the warm milk comes in over an hour and is cooled away in the next.
  const cycle = 43_200;
  const phase = (((atS + tank * 7200) % cycle) + cycle) % cycle;
  const filling = Math.min(1, phase / 3600);
  const half = Math.floor((atS + tank * 7200) / cycle) % 2 === 0 ? 0 : 0.45;
  const wobble = 0.05 * normal(createRandom(seed, 15, tank, Math.floor(atS / 60)));
  const temperature = 3.6 + (phase < 3600 ? 5 * filling : 5 * Math.exp(-(phase - 3600) / 1800)) + wobble;
  const level = 4 + 100 * (half + 0.45 * filling);
  const cooling = temperature > 4 ? 1 : 0;
  const litres = Math.round(level * 40);
  return {
    input: [Math.round(temperature * 10) & 0xffff, Math.round(level * 10), litres >>> 16, litres & 0xffff],
    discrete: [cooling],
    coil: [cooling === 1 || phase % 1800 < 120 ? 1 : 0],
    holding: [36],
  };
}
