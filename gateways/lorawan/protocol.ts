// LoRaWAN through ChirpStack v4: its MQTT and HTTP integrations in, envelopes out, commands as downlinks.
import { messageOf } from '../../contract/errors.ts';
import { startHttpListener, type HttpListener } from '../shared/http.ts';
import { connectLink, type Link } from '../shared/mqtt.ts';
import type { Protocol, Running, Services } from '../shared/protocol.ts';
import { isDeepStrictEqual } from 'node:util';
import { findDevice, type Device } from './devices.ts';
import { downlinkMessage, queued, toDownlink } from './downlink.ts';
import { interpret, readEvent, type ChirpEvent } from './events.ts';
import { resolveSection, sectionSchema, type Section, type Settings } from './section.ts';

export const protocol: Protocol<Section, Settings> = {
  name: 'lorawan',
  schema: sectionSchema,
  resolve: resolveSection,
  start: startLorawan,
};

/** Copies of one event come within seconds: from several ChirpStack instances, by MQTT and by HTTP. */
const rememberedEvents = 10_000;
const filters = ['application/+/device/+/event/+'];

interface Known extends Device {
  applicationId: string;
  unlisten: () => void;
}

function startLorawan(initial: Settings, services: Services): Running<Settings> {
  const { logger, farm } = services;
  let settings = initial;
  let link: Link | undefined;
  let http: HttpListener | undefined;
  const seen = new Map<string, Promise<undefined>>();
  const known = new Map<string, Known>();

  /** The device of an event, listening for its commands from its first event on. */
  const deviceOf = ({ body }: ChirpEvent): Known | undefined => {
    const { devEui, applicationId } = body.deviceInfo;
    const device = findDevice(farm, body.deviceInfo, settings);
    const before = known.get(devEui);
    if (device === undefined) return undefined;
    if (before !== undefined && isDeepStrictEqual(before.address, device.address))
      return Object.assign(before, device, { applicationId });
    if (before === undefined)
      logger.info(
        { device: device.address.deviceUid, profile: device.model?.name ?? null },
        'device heard for the first time',
      );
    before?.unlisten();
    const entry: Known = { ...device, applicationId, unlisten: () => undefined };
    entry.unlisten = services.onCommand(device.address, (command) => {
      const downlink = toDownlink(entry.model?.commands ?? [], command);
      if (typeof downlink === 'string')
        return Promise.resolve({ result: 'rejected' as const, detail: downlink });
      if (link === undefined)
        return Promise.resolve({
          result: 'rejected' as const,
          detail: 'downlinks need the MQTT integration',
        });
      if (!link.isReady())
        return Promise.resolve({ result: 'failed' as const, detail: "ChirpStack's broker is not connected" });
      const message = downlinkMessage(entry.applicationId, devEui, downlink);
      link.say(message.topic, message.payload);
      return Promise.resolve(queued(message.id));
    });
    known.set(devEui, entry);
    return entry;
  };

  const store = async (event: ChirpEvent): Promise<undefined> => {
    const device = deviceOf(event);
    if (device === undefined) {
      services.count('lorawan_ignored_total');
      return;
    }
    const said = interpret(event, { model: device.model, arrivedAt: Date.now(), metrics: settings.metrics });
    if (said.state !== undefined) services.report(device.address, said.state.state, said.state.detail);
    if (said.envelope !== undefined)
      await services.publish(device.address, { ...said.envelope, ...device.extra });
  };

  /** Takes an event in; resolves when it is on the disk, a copy together with the first. A string says why it was refused. */
  const take = (kind: string, body: unknown): Promise<string | undefined> => {
    const event = readEvent(kind, body);
    services.count('lorawan_events_total', { event: typeof event === 'string' ? 'unreadable' : event.kind });
    if (typeof event === 'string') {
      logger.warn({ reason: event }, 'ChirpStack event not understood');
      return Promise.resolve(event);
    }
    const first = seen.get(event.key);
    if (first !== undefined) {
      services.count('lorawan_copies_total');
      return first;
    }
    const work = store(event);
    if (event.key !== '') seen.set(event.key, work);
    const [oldest] = seen.keys();
    if (oldest !== undefined && seen.size > rememberedEvents) seen.delete(oldest);
    return work;
  };

  const onMessage = (topic: string, payload: Buffer): Promise<void> | undefined => {
    let body: unknown;
    try {
      body = JSON.parse(payload.toString('utf8'));
    } catch (error) {
      services.count('lorawan_events_total', { event: 'unreadable' });
      logger.warn(
        { topic, error: messageOf(error) },
        'ChirpStack event is not JSON; is its MQTT integration set to JSON?',
      );
      return undefined;
    }
    return take(topic.split('/').at(-1) ?? '', body).then(() => undefined);
  };

  const open = () => {
    if (settings.mqtt !== undefined) {
      const { url, username, password } = settings.mqtt;
      const clientId = `gateway-${farm}-${services.gateway}-chirpstack`;
      // ChirpStack's broker keeps for us what comes while we are away.
      link = connectLink({ url, username, password, clientId, keepSession: true, logger });
      for (const filter of filters) link.subscribe(filter, onMessage);
    }
    if (settings.http !== undefined) {
      http = startHttpListener(settings.http, {
        name: 'lorawan http',
        services,
        routes: (app, requireToken) => {
          const { token } = settings.http ?? { token: '' };
          app.post('/', requireToken([token]), async (request, response) => {
            const { event } = request.query;
            const refusal = await take(typeof event === 'string' ? event : '', request.body);
            if (refusal === undefined) response.status(200).json({});
            else response.status(400).json({ error: refusal });
          });
        },
      });
    }
  };
  const close = async () => {
    await Promise.all([link?.close(), http?.close()]);
    [link, http] = [undefined, undefined];
  };

  open();
  return {
    reload: async (next) => {
      const [before, after] = [settings, next].map(({ mqtt, http: listener }) => ({ mqtt, listener }));
      const isSame = isDeepStrictEqual(before, after);
      settings = next;
      for (const [devEui, device] of known) {
        const uid = next.devices.get(devEui)?.uid ?? (next.discover ? devEui : undefined);
        if (uid === device.address.deviceUid) continue;
        device.unlisten();
        services.forget(device.address);
        known.delete(devEui);
      }
      if (isSame) return;
      await close();
      open();
    },
    stop: async () => {
      await close();
      for (const device of known.values()) device.unlisten();
    },
  };
}
