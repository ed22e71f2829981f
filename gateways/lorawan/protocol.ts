// LoRaWAN through ChirpStack v4: its MQTT and HTTP integrations in, envelopes out, commands as downlinks.
import { messageOf } from '../../contract/errors.ts';
import { startHttpListener, type HttpListener } from '../shared/http.ts';
import type { Link } from '../shared/link.ts';
import { connectLink } from '../shared/mqtt.ts';
import type { Protocol, Running, Services } from '../shared/protocol.ts';
import { isDeepStrictEqual } from 'node:util';
import { createEventIntake } from './intake.ts';
import { createKnownDevices } from './known.ts';
import { resolveSection, sectionSchema, type Section, type Settings } from './section.ts';

export const protocol: Protocol<Section, Settings> = {
  name: 'lorawan',
  schema: sectionSchema,
  resolve: resolveSection,
  start: startLorawan,
};

const filters = ['application/+/device/+/event/+'];

function startLorawan(initial: Settings, services: Services): Running<Settings> {
  const { logger, farm } = services;
  let settings = initial;
  let link: Link | undefined;
  let http: HttpListener | undefined;
  const known = createKnownDevices(services, () => link);
  const take = createEventIntake(services, known, () => settings);

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
      link.onTrouble((what, detail) => services.trouble(`chirpstack/${what}`, detail));
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
      known.reload(next);
      if (isSame) return;
      await close();
      open();
    },
    stop: async () => {
      await close();
      known.stop();
    },
  };
}
