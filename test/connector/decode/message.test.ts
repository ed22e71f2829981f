// Messages by example: what is taken, and the exact reason for what is not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeMessage, type DecodeContext } from '../../../connector/decode/message.ts';
import { decodeRows } from '../../../connector/decode/rows.ts';
import { profileSchema } from '../../../contract/profile.ts';
import { bytes, decodeContext, now } from './context.ts';

const context = decodeContext();
const at = '2026-11-20T05:42:10Z';
const meter = 'dairy/farm1/milk_meter/m1/data';
const thermometer = 'dairy/farm1/temperature/t1/data';
const record = { timestamp: at, session_id: 's1', yield_liters: 10 };
const envelope = { v: 1, at, points: [{ m: 'temperature', v: 4 }] };

const decode = (topic: string, payload: unknown, changed: Partial<DecodeContext> = {}) =>
  decodeMessage(topic, payload instanceof Uint8Array ? payload : bytes(payload), now, {
    ...context,
    ...changed,
  });

function data(topic: string, payload: unknown, changed?: Partial<DecodeContext>) {
  const decoded = decode(topic, payload, changed);
  assert.equal(decoded.kind, 'data', JSON.stringify(decoded));
  return decoded.data;
}

describe('dead, with a reason that tells what to do', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const yieldOf = (litres: unknown) => ({ ...record, yield_liters: litres });
  const recordPoints = (points: unknown[]) => ({ v: 1, at, session: { id: 's', event: 'record' }, points });
  const withTime = (time: string) => ({ ...envelope, at: time });
  const point = (changes: object) => ({ ...envelope, points: [{ m: 'temperature', v: 4, ...changes }] });
  const cases: Record<string, [topic: string, payload: unknown, reason: string]> = {
    'broken JSON': [
      meter,
      '{"a": 1',
      `not JSON: Expected ',' or '}' after property value in JSON at position 7 (line 1 column 8)`,
    ],
    NaN: [meter, '{"y": NaN}', `not JSON: Unexpected token 'N', "{"y": NaN}" is not valid JSON`],
    empty: [meter, '', 'not JSON: Unexpected end of JSON input'],
    'invalid UTF-8': [
      meter,
      Buffer.from([0x22, 0xff, 0x22]),
      'not JSON: The encoded data was not valid for encoding utf-8',
    ],
    array: [meter, '[]', 'the payload is not a JSON object'],
    number: [meter, '5', 'the payload is not a JSON object'],
    text: [meter, '"5"', 'the payload is not a JSON object'],
    null: [meter, 'null', 'the payload is not a JSON object'],
    'ten megabytes': [
      meter,
      Buffer.alloc(10_000_000, 0x20),
      'payload has 10000000 bytes, at most 262144 are taken',
    ],
    'unknown topic': ['dairy/farm1/milk_meter', record, "no topic template fits 'dairy/farm1/milk_meter'"],
    'unknown device type': [
      'dairy/farm1/toaster/m1/data',
      record,
      "topic 'dairy/farm1/toaster/m1/data': unknown device type 'toaster'",
    ],
    'a device’s own alert': [
      'dairy/farm1/milk_meter/m1/alerts',
      {},
      'alerts of devices are not taken, only their data',
    ],
    'no profile for the type': [
      'dairy/farm1/pressure/p1/data',
      { kg: 5 },
      'no profile maps JSON of device type pressure; send envelope v1 or add one to config/profiles/',
    ],
    'no profile fits': [
      meter,
      { litres: 5 },
      'the payload fits none of the profiles for milk_meter (milk-meter-record-json, milk-meter-session-json, milk-production-json) and is not envelope v1',
    ],
    'missing time': [
      meter,
      { yield_liters: 10 },
      'profile milk-meter-record-json: /timestamp: the time is missing',
    ],
    'a time that is none': [
      meter,
      { ...record, timestamp: 'yesterday' },
      'profile milk-meter-record-json: /timestamp: "yesterday" is not a time',
    ],
    'a time nested too deep to print': [
      meter,
      `{"yield_liters": 10, "timestamp": ${deep}}`,
      'profile milk-meter-record-json: /timestamp: an array is not a time',
    ],
    'missing field': [meter, yieldOf(null), 'profile milk-meter-record-json: /yield_liters is missing'],
    'an object for a number': [
      thermometer,
      { timestamp: at, temperature: { value: 4 } },
      'profile temperature-json: /temperature: an object is not a number',
    ],
    'a number beyond all numbers': [
      thermometer,
      { timestamp: at, temperature: '1e999' },
      'profile temperature-json: /temperature: "1e999" is not a number',
    ],
    'too large after conversion': [
      meter,
      yieldOf(1.79e308),
      'profile milk-meter-record-json: /yield_liters: 1.79e+308 is too large',
    ],
    'absurd yield of a record': [meter, yieldOf(1000), 'milk_yield 1030 kg is outside 0…100 kg'],
    'negative yield of a record': [meter, yieldOf(-1), 'milk_yield -1.03 kg is outside 0…100 kg'],
    'a record without yield': [
      meter,
      recordPoints([{ m: 'milk_fat', v: 4 }]),
      'a finished milking needs a milk_yield of good quality',
    ],
    'a record whose yield the meter doubts': [
      meter,
      recordPoints([{ m: 'milk_yield', v: 4, q: 2 }]),
      'a finished milking needs a milk_yield of good quality',
    ],
    'unknown metric': [
      thermometer,
      point({ m: 'temperatur' }),
      "envelope v1: points.0.m: metric 'temperatur' is not in the catalogue; did you mean 'temperature'?",
    ],
    'unknown metric like none': [
      thermometer,
      point({ m: 'colour' }),
      "envelope v1: points.0.m: metric 'colour' is not in the catalogue",
    ],
    'other version': [thermometer, { ...envelope, v: 2 }, 'an envelope has "v": 1 and points'],
    'envelope without points': [
      thermometer,
      { v: 1, at },
      'the payload fits none of the profiles for temperature (temperature-json) and is not envelope v1',
    ],
    'nothing in it that can be read': [
      'dairy/farm1/energy/e1/data',
      { energy_kwh: '', power_w: 'much' },
      'profile energy-json: /energy_kwh: "" is not a number',
    ],
    'envelope with an unknown key': [
      thermometer,
      { ...envelope, pionts: [] },
      "envelope v1: unknown: 'pionts'",
    ],
    'envelope value as text': [
      thermometer,
      point({ v: '4' }),
      'envelope v1: points.0.v: expected a number, got text',
    ],
    'envelope value beyond all numbers': [
      thermometer,
      `{"v": 1, "at": "${at}", "points": [{"m": "temperature", "v": 1e999}]}`,
      'envelope v1: points.0.v: expected a number',
    ],
    'envelope time without offset': [
      thermometer,
      withTime('2026-11-20 05:42:10'),
      'envelope v1: at: expected a time as ISO 8601 with its offset, such as 2026-11-28T06:30:00Z',
    ],
    'a session id that no database keeps': [
      thermometer,
      { ...envelope, session: { id: 'a\u0000', event: 'reading' } },
      'envelope v1: session.id: has characters that cannot be stored',
    ],
    'half a surrogate pair': [
      thermometer,
      { ...envelope, session: { id: '\ud800', event: 'reading' } },
      'envelope v1: session.id: has characters that cannot be stored',
    ],
    past: [
      thermometer,
      withTime('2026-08-22T05:59:59Z'),
      'time 2026-08-22T05:59:59.000Z is further back than data is kept',
    ],
    'a status that is none': [
      'dairy/farm1/milk_meter/m1/status',
      { state: 'fine' },
      'status: expected {"state": "online" | "degraded" | "offline", "at"?, "detail"?, "command"?: {"id", "command", "result"}}',
    ],
  };
  for (const [name, [topic, payload, reason]] of Object.entries(cases))
    test(name, () => assert.deepEqual(decode(topic, payload), { kind: 'dead', reason }));
});

describe('taken', () => {
  test('the limits of time and size themselves', () => {
    for (const time of ['2026-11-20T06:10:00Z', '2026-08-22T06:00:00Z'])
      assert.equal(data(thermometer, { ...envelope, at: time }).at, Date.parse(time));
    const payload = bytes(JSON.stringify(envelope).padEnd(1_000));
    assert.equal(decode(thermometer, payload, { maxPayloadBytes: 1_000 }).kind, 'data');
    assert.equal(decode(thermometer, payload, { maxPayloadBytes: 999 }).kind, 'dead');
  });

  test('values outside their range, marked; the range includes its ends', () => {
    const values = [-50, 100, -50.01, 100.01].map((v, index) => ({
      m: 'temperature',
      v,
      t: Date.parse(at) + index,
    }));
    assert.deepEqual(
      data(thermometer, { v: 1, at, points: values }).points.map(({ quality }) => quality),
      [0, 0, 1, 1],
    );
    // A doubt of the device's own stays what it was.
    assert.equal(
      data(thermometer, { ...envelope, points: [{ m: 'temperature', v: 900, q: 2 }] }).points[0]?.quality,
      2,
    );
    const reading = { type: 'reading', session_id: 's', volume: 1000, timestamp: at };
    assert.equal(data(meter, reading).points[0]?.quality, 1);
    const quality = { ...record, quality: { fat_percentage: 55 } };
    assert.deepEqual(
      data(meter, quality).points.map((point) => [point.metric, point.quality]),
      [
        ['milk_yield', 0],
        ['milk_fat', 1],
      ],
    );
  });

  test('an envelope with everything', () => {
    const decoded = data(meter, {
      v: 1,
      id: 'x-1',
      at,
      points: [
        { m: 'milk_flow', v: 2.5 },
        { m: 'milk_yield', t: 1_795_153_331, v: 3, q: 3 },
      ],
      animal: { rfid: '050000000000017', id: ' A-17 ' },
      session: { id: 's9', event: 'reading' },
      stall: 'P3',
      battery: 80,
      rssi: -70,
    });
    const time = Date.parse(at);
    assert.deepEqual(decoded, {
      at: time,
      points: [
        { metric: 'milk_flow', time, value: 2.5, quality: 0 },
        { metric: 'milk_yield', time: time + 1000, value: 3, quality: 3 },
        { metric: 'battery', time, value: 80, quality: 0 },
        { metric: 'rssi', time, value: -70, quality: 0 },
      ],
      rfid: '050000000000017',
      animalRef: 'A-17',
      session: { id: 's9', event: 'reading' },
      stall: 'P3',
      profile: undefined,
      messageId: 'x-1',
    });
  });

  test('tags of another shape say which animal was meant; blanks in tags do not count', () => {
    const animal = (fields: object) => {
      const { rfid, animalRef } = data(meter, { ...record, ...fields });
      return [rfid, animalRef];
    };
    assert.deepEqual(animal({ rfid_tag: '050 000000000017' }), ['050000000000017', undefined]);
    assert.deepEqual(animal({ rfid_tag: 'E200-17' }), [undefined, 'E200-17']);
    assert.deepEqual(animal({ rfid_tag: 'E200-17', animal_id: 'A-1' }), [undefined, 'A-1']);
    assert.deepEqual(animal({ rfid_tag: null, animal_id: '' }), [undefined, undefined]);
  });

  test('session messages without a time wait for that of their arrival', () => {
    const decoded = data(meter, { type: 'reading', volume: 0.5 });
    assert.deepEqual([decoded.at, decoded.session], [undefined, { id: undefined, event: 'reading' }]);
    assert.ok(Math.abs((decoded.points[0]?.value ?? 0) - 0.515) < 1e-9);
  });

  test('an assigned profile comes before matching, and odd words mean its default', () => {
    const assignedProfile = () => 'milk-meter-session-json';
    for (const type of ['reading', 'wash', 'constructor', 'toString', '__proto__'])
      assert.deepEqual(data(meter, { type, yield_liters: 5 }, { assignedProfile }).session?.event, 'reading');
  });

  test('milk is as dense as the configuration says; a byte order mark is no mistake', () => {
    const litres = data(meter, record, { kgPerLitre: 1 }).points[0]?.value;
    assert.equal(litres, 10);
    assert.equal(decode(meter, `\ufeff${JSON.stringify(record)}`).kind, 'data');
  });
});

describe("a device's wrong clock costs nothing", () => {
  const temperatures = (payload: object) => {
    const { at: moment, saidAt, points } = data(thermometer, payload);
    return { at: moment, saidAt, points: points.map(({ time, ageMs, quality }) => [time, ageMs, quality]) };
  };
  const points = [
    { m: 'temperature', v: 4 },
    { m: 'temperature', v: 5, t: '1970-01-01T00:01:00Z' },
  ];

  test('hours ahead, or in 1970: the moment of arrival counts, marked, and what it said is known', () => {
    for (const said of ['2026-11-20T06:10:01Z', '2031-01-01T00:00:00Z', '1970-01-01T00:00:00Z', 1e300])
      assert.deepEqual(temperatures({ ...envelope, at: said }), {
        at: undefined,
        saidAt: typeof said === 'number' ? said : Date.parse(said),
        points: [[NaN, undefined, 3]],
      });
  });

  test('distances stay: stored values lie as long before their arrival as the device says', () => {
    assert.deepEqual(temperatures({ v: 1, at: '1970-01-01T00:02:00Z', points }), {
      at: undefined,
      saidAt: 120_000,
      points: [
        [NaN, undefined, 3],
        [NaN, 60_000, 3],
      ],
    });
  });

  test('only the values whose times cannot be are moved', () => {
    assert.deepEqual(temperatures({ v: 1, at, points }), {
      at: Date.parse(at),
      saidAt: undefined,
      points: [
        [Date.parse(at), undefined, 0],
        [Date.parse(at), undefined, 3],
      ],
    });
  });

  test('a finished milking counts', () => {
    const { at: moment, points: milk } = data(meter, { ...record, timestamp: '2030-01-01T00:00:00Z' });
    assert.deepEqual([moment, milk[0]?.quality], [undefined, 3]);
  });

  test('a status counts when it comes', () => {
    const decoded = decode('dairy/farm1/milk_meter/m1/status', { state: 'online', at: 1e300 });
    assert.ok(decoded.kind === 'status' && decoded.at === now);
  });

  test('rows too', () => {
    const row = {
      device_uid: 't1',
      farm_id: 'farm1',
      device_type: 'temperature',
      metric_name: 'temperature',
      metric_value: 4,
    };
    const rows = ['2030-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2026-08-01T00:00:00Z'].map(
      (timestamp) => ({ ...row, timestamp }),
    );
    const { devices, rejected } = decodeRows(rows, now, { ...context, deviceTypeOf: () => undefined });
    assert.deepEqual(
      devices.map(({ at: moment, saidAt, points: values }) => [moment, saidAt, values[0]?.quality]),
      [
        [undefined, Date.UTC(2030, 0), 3],
        [undefined, 0, 3],
      ],
    );
    assert.match(rejected.get(2) ?? '', /further back/);
  });
});

describe('what a message can do without never costs it', () => {
  test('an optional value that is none', () => {
    const { points, unread } = data(thermometer, {
      timestamp: at,
      temperature: 3.6,
      humidity: '',
      battery_level: '?',
    });
    assert.deepEqual(
      points.map(({ metric, quality }) => [metric, quality]),
      [['temperature', 0]],
    );
    assert.deepEqual(unread, [
      'profile temperature-json: /humidity: "" is not a number',
      'profile temperature-json: /battery_level: "?" is not a number',
    ]);
  });

  test('an optional time that is none: the moment of arrival counts, marked', () => {
    const {
      at: moment,
      points,
      unread,
    } = data('dairy/farm1/energy/e1/data', { energy_kwh: 5, timestamp: 'soon' });
    assert.deepEqual([moment, points[0]?.quality, unread?.length], [undefined, 3, 1]);
  });

  test('fields of an envelope beside its points', () => {
    const broken = { ...envelope, battery: 101, stall: 7, animal: { rfid: '899000000000001' }, id: [] };
    const { points, stall, rfid, animalRef, unread } = data(thermometer, broken);
    assert.deepEqual([points.length, stall, rfid, animalRef], [1, undefined, undefined, '899000000000001']);
    assert.deepEqual(
      unread?.map((reason) => reason.slice(0, 24)),
      [
        'envelope v1: id: expecte',
        'envelope v1: animal.rfid',
        'envelope v1: stall: expe',
        'envelope v1: battery: ex',
      ],
    );
  });
});

test('a "v" that is no version is a value like any other', () => {
  for (const v of [3.31, 1, '1', 2])
    assert.equal(data(thermometer, { timestamp: at, temperature: 3.6, v }).profile, 'temperature-json');
});

describe('local times', () => {
  const tasmota = { Time: '2026-11-20T11:42:10', DS18B20: { Id: '0', Temperature: 3.9 }, TempUnit: 'C' };
  const profileOf = (zone?: string) =>
    profileSchema.parse({
      profile: 'tasmota',
      device_type: 'temperature',
      manufacturer: 'M',
      model: 'X',
      description: 'd',
      payload: {
        match: [{ pointer: '/TempUnit', equals: ['C'] }],
        at: { pointer: '/Time' },
        ...(zone === undefined ? {} : { zone }),
        points: [{ pointer: '/DS18B20/Temperature', metric: 'temperature', unit: 'Cel' }],
      },
      samples: [{ name: 's', payload: {}, expect: {} }],
    });
  const context = (zone?: string, own?: string) => ({
    profiles: new Map([['tasmota', profileOf(own)]]),
    zoneOf: () => zone,
  });

  test("are of the profile's zone, else of the device's or farm's", () => {
    assert.equal(data(thermometer, tasmota, context('Asia/Dhaka')).at, Date.parse(at));
    const own = data(
      thermometer,
      { ...tasmota, Time: '2026-11-20T06:42:10' },
      context('Asia/Dhaka', 'Europe/Berlin'),
    );
    assert.equal(own.at, Date.parse(at));
    const twice = data(thermometer, { ...tasmota, Time: '2026-10-25T02:30:00' }, context('Europe/Berlin'));
    assert.deepEqual(
      twice.points.map(({ time, quality }) => [new Date(time).toISOString(), quality]),
      [['2026-10-25T00:30:00.000Z', 3]],
    );
  });

  test('are refused where nobody knows the zone', () => {
    assert.deepEqual(decode(thermometer, tasmota, context()), {
      kind: 'dead',
      reason:
        'profile tasmota: /Time: "2026-11-20T11:42:10" has no UTC offset, and no time zone is known: give the profile, the device or the farm (milk.timezone) one, or let the device say it',
    });
  });

  test('of rows too', () => {
    const row = {
      device_uid: 't1',
      farm_id: 'farm1',
      device_type: 'temperature',
      metric_name: 'temperature',
      metric_value: 4,
    };
    const rows = [
      { ...row, timestamp: '2026-11-20 11:42:10' },
      { ...row, timestamp: '2026-11-20 05:42:11Z' },
    ];
    const deviceTypeOf = () => undefined;
    const known = decodeRows(rows, now, { ...decodeContext(context('Asia/Dhaka')), deviceTypeOf });
    assert.deepEqual(
      known.devices.flatMap(({ points }) => points.map(({ time }) => time)),
      [Date.parse(at), Date.parse(at) + 1_000],
    );
    const { rejected } = decodeRows(rows, now, { ...decodeContext(), deviceTypeOf });
    assert.match(rejected.get(0) ?? '', /^timestamp: '2026-11-20 11:42:10' has no UTC offset/);
    assert.equal(rejected.has(1), false);
  });
});

test('statuses with and without a time; very old retained ones, commands and configuration are not ours', () => {
  const topic = 'dairy/farm1/milk_meter/m1/status';
  const address = { farm: 'farm1', deviceType: 'milk_meter', deviceUid: 'm1', messageType: 'status' };
  assert.deepEqual(decode(topic, { state: 'offline' }), {
    kind: 'status',
    address,
    status: { state: 'offline' },
    at: now,
  });
  const status = { state: 'online', at, detail: 'firmware 2' };
  assert.deepEqual(decode(topic, status), { kind: 'status', address, status, at: Date.parse(at) });
  const told = { state: 'online', at, command: { id: '7', command: 'open', result: 'done', value: true } };
  assert.deepEqual(decode(topic, told), { kind: 'status', address, status: told, at: Date.parse(at) });
  for (const old of [0, -1e300, '2020-01-01T00:00:00Z'])
    assert.deepEqual(decode(topic, { state: 'offline', at: old }), { kind: 'ignored' });
  for (const type of ['commands', 'config'])
    assert.deepEqual(decode(`dairy/farm1/milk_meter/m1/${type}`, 'whatever'), { kind: 'ignored' });
});
