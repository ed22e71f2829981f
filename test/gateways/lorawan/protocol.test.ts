// The LoRaWAN gateway between a broker that plays ChirpStack's and services that record.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { protocol } from '../../../gateways/lorawan/protocol.ts';
import type { Section, Settings } from '../../../gateways/lorawan/section.ts';
import type { Site } from '../../../gateways/shared/protocol.ts';
import { startOwnBroker, until, type OwnBroker } from '../support/broker.ts';
import { recordServices } from '../support/services.ts';

const catalogue = loadMetrics('config/metrics.yaml');
const profiles = loadProfiles('config/profiles', catalogue);
const eui = 'a84041000181af4f';
const application = '17c82e96-be03-4f38-aef3-f83d48582d97';

function settingsOf(section: Record<string, unknown>): { settings: Settings; problems: string[] } {
  const problems: string[] = [];
  const site: Site = {
    farm: 'farm1',
    gateway: 'gw1',
    kgPerLitre: 1.03,
    heartbeatMs: 60_000,
    profiles,
    catalogue,
    complain: (path, message) => void problems.push(`${path.join('.')}: ${message}`),
    claim: () => undefined,
  };
  return { settings: protocol.resolve(protocol.schema.parse(section) satisfies Section, site), problems };
}

const uplink = (changes: Record<string, unknown> = {}, info: Record<string, unknown> = {}) => ({
  deduplicationId: crypto.randomUUID(),
  time: '2026-11-20T05:34:15Z',
  deviceInfo: { applicationId: application, deviceProfileName: 'Dragino LHT65', devEui: eui, ...info },
  fPort: 2,
  data: Buffer.from('CBF60B0D0376010ADD7FFF', 'hex').toString('base64'),
  rxInfo: [{ rssi: -57, snr: 10 }],
  ...changes,
});

let broker: OwnBroker;
let chirpstack: MqttClient;
before(async () => {
  broker = await startOwnBroker();
  chirpstack = await connectAsync(broker.url);
});
after(async () => {
  await chirpstack.endAsync(true);
  await broker.stop();
});
const send = (event: string, body: unknown, devEui = eui) =>
  chirpstack.publishAsync(
    `application/${application}/device/${devEui}/event/${event}`,
    typeof body === 'string' ? body : JSON.stringify(body),
    { qos: 1 },
  );

test('listed and unknown devices, copies, nonsense, and a command back', async () => {
  const record = recordServices();
  const { settings, problems } = settingsOf({
    mqtt: { url: broker.url },
    devices: [{ dev_eui: eui.toUpperCase(), uid: 'barn-north', rfid: '050000000000017' }],
  });
  assert.deepEqual(problems, []);
  const running = protocol.start(settings, record.services);
  const listening = async () => {
    await send('up', uplink());
    return record.published.length > 0;
  };
  // The gateway subscribes in the background.
  for (let tries = 0; tries < 200 && !(await listening()); tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  await until('subscribed', () => record.published.length > 0);
  await send('up', '{');
  const twice = uplink();
  const published = record.published.length;
  await send('up', twice);
  await send('up', twice);
  await send(
    'up',
    uplink({}, { devEui: '0011223344556677', deviceProfileName: 'Toaster' }),
    '0011223344556677',
  );
  await until('the unknown one', () => record.published.length >= published + 2);

  const [known, unknown] = record.published.slice(-2);
  assert.equal(known?.address.deviceUid, 'barn-north');
  assert.equal(known.address.deviceType, 'temperature');
  assert.deepEqual(known.envelope.animal, { rfid: '050000000000017' });
  assert.equal(unknown?.address.deviceUid, '0011223344556677');
  assert.equal(unknown.envelope.rssi, -57);
  assert.equal(record.reported.at(-1)?.state, 'degraded');
  assert.equal(record.published.length, published + 2, 'the copy is not published again');
  assert.equal(record.counts.get('lorawan_copies_total'), 1);
  assert.equal(record.counts.get('lorawan_events_total unreadable'), 1);

  const downlink = new Promise<{ topic: string; body: Record<string, unknown> }>((resolve) => {
    chirpstack.on('message', (topic, payload) =>
      resolve({ topic, body: JSON.parse(payload.toString()) as Record<string, unknown> }),
    );
  });
  await chirpstack.subscribeAsync('application/+/device/+/command/down');
  const command = { command: 'set_interval', timeout_ms: 1000 };
  const refused = await record.command('barn-north', { id: '1', ...command, value: 5 });
  assert.match(refused?.detail ?? '', /from 30 to/);
  const outcome = await record.command('barn-north', { id: '2', ...command, value: 1200 });
  assert.equal(outcome?.result, 'done');
  const { topic, body } = await downlink;
  assert.equal(topic, `application/${application}/device/${eui}/command/down`);
  assert.deepEqual([body['devEui'], body['fPort'], body['confirmed']], [eui, 2, true]);
  assert.equal(Buffer.from(String(body['data']), 'base64').toString('hex'), '010004b0');
  await running.stop();
  assert.equal(record.command('barn-north', { id: '3', ...command, value: 1200 }), undefined);
});

test('what comes while the gateway is away comes afterwards', async () => {
  const record = recordServices();
  const { settings } = settingsOf({ mqtt: { url: broker.url } });
  await protocol.start(settings, record.services).stop();
  // The session of the test before is on the broker: the gateway was subscribed once.
  const late = uplink({ time: '2026-11-20T05:40:00Z' });
  await send('up', late);
  const running = protocol.start(settings, record.services);
  await until('the late one', () =>
    record.published.some(({ envelope }) => envelope.id === late.deduplicationId),
  );
  await running.stop();
});

test('the HTTP integration, with its token only', async () => {
  const record = recordServices();
  const token = 'a-token-of-16-or-more';
  const { settings } = settingsOf({ http: { port: 0, token } });
  let port = 0;
  record.services.logger.info = (fields: { port?: number }) => {
    port = fields.port ?? port;
  };
  const running = protocol.start(settings, record.services);
  await until('listening', () => port !== 0);
  const post = (event: string, body: string, authorization: string) =>
    fetch(`http://127.0.0.1:${port}/?event=${event}`, {
      method: 'POST',
      body,
      headers: { authorization, 'content-type': 'application/json' },
    });
  const body = JSON.stringify(uplink());
  assert.equal((await post('up', body, 'Bearer wrong')).status, 401);
  assert.equal((await post('up', body, `Bearer ${token}`)).status, 200);
  assert.equal((await post('up', body, `Bearer ${token}`)).status, 200);
  assert.equal((await post('toast', body, `Bearer ${token}`)).status, 400);
  assert.equal((await post('up', '{', `Bearer ${token}`)).status, 400);
  assert.equal(record.published.length, 1);
  const outcome = await record.command(eui, { id: '1', command: 'reboot', timeout_ms: 1000 });
  assert.equal(outcome?.detail, 'downlinks need the MQTT integration');
  await running.stop();
});

test('mistakes in the section are named', () => {
  assert.deepEqual(settingsOf({}).problems, [': nothing to listen to: add mqtt, http or both']);
  assert.deepEqual(
    settingsOf({
      mqtt: { url: 'mqtt://x' },
      profiles: { Toaster: 'dragino-lht56' },
      devices: [
        { dev_eui: eui, uid: 'a', profile: 'feeder-json' },
        { dev_eui: eui, uid: 'b' },
      ],
    }).problems.map((problem) => problem.replace(/known: .*/, 'known: …')),
    [
      "profiles.Toaster: there is no LoRaWAN profile 'dragino-lht56'; did you mean 'dragino-lht52'?",
      "devices.0.profile: there is no LoRaWAN profile 'feeder-json'; known: …",
      `devices.1.dev_eui: device EUI ${eui} stands here twice`,
    ],
  );
});

test('a field that the codec does not have is named', () => {
  const collar = profiles.get('smart-dairy-collar') ?? assert.fail();
  const [point] = collar.lorawan?.points ?? [];
  assert.ok(collar.lorawan !== undefined && point !== undefined);
  const wrong = { ...collar, lorawan: { ...collar.lorawan, points: [{ ...point, field: 'temprature' }] } };
  const problems: string[] = [];
  protocol.resolve(protocol.schema.parse({ mqtt: { url: 'mqtt://x' } }), {
    farm: 'farm1',
    gateway: 'gw1',
    kgPerLitre: 1.03,
    heartbeatMs: 60_000,
    profiles: new Map([['smart-dairy-collar', wrong]]),
    catalogue,
    complain: (_path, message) => void problems.push(message),
    claim: () => undefined,
  });
  assert.deepEqual(problems, [
    "profile 'smart-dairy-collar': codec smart-dairy-collar has no field 'temprature'; did you mean 'temperature'?",
  ]);
});

test('a device that is not listed may be ignored', async () => {
  const record = recordServices();
  const token = 'a-token-of-16-or-more';
  const { settings } = settingsOf({ http: { port: 0, token }, unknown_devices: 'ignore' });
  const running = protocol.start(settings, record.services);
  await running.reload(settings);
  assert.equal(record.published.length, 0);
  await running.stop();
});

test('an event is acknowledged when it is on the disk, its copy not sooner', async () => {
  const record = recordServices();
  const disk = Promise.withResolvers<boolean>();
  const stored: string[] = [];
  record.services.publish = ({ deviceUid }) => {
    stored.push(deviceUid);
    return disk.promise;
  };
  const own = await startOwnBroker();
  const station = await connectAsync(own.url);
  const running = protocol.start(settingsOf({ mqtt: { url: own.url } }).settings, record.services);
  const copies = () => record.counts.get('lorawan_copies_total') ?? 0;
  const reconnected = async () => {
    const before = own.clients();
    own.cutClient('gateway-farm1-gw1-chirpstack');
    await until('the gateway is back', () => own.clients() > before);
  };
  try {
    const event = JSON.stringify(uplink());
    const say = () =>
      station.publishAsync(`application/${application}/device/${eui}/event/up`, event, { qos: 1 });
    // The gateway subscribes in the background.
    while (stored.length === 0) await Promise.all([say(), sleep(50)]);
    const before = copies();
    await reconnected();
    await until('not acknowledged: it comes again', () => copies() > before);
    assert.equal(stored.length, 1);

    disk.resolve(true);
    await sleep(200);
    const settled = copies();
    await reconnected();
    await say();
    await until('the broker delivers', () => copies() > settled);
    await sleep(200);
    assert.equal(copies(), settled + 1, 'acknowledged: only the new copy comes');
  } finally {
    await running.stop();
    await station.endAsync(true);
    await own.stop();
  }
});
