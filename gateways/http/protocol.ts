// HTTP intake for small sensors: POST /v1/data or /v1/devices/{uid}/data with the device's token.
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { bearerToken, matchesToken, startHttpListener, type HttpListener } from '../shared/http.ts';
import { checkIntake, intakeDeviceSchema, takeIn } from '../shared/intake.ts';
import type { Protocol, Running, Services } from '../shared/protocol.ts';

const sectionSchema = z
  .strictObject({
    host: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all'),
    port: z.coerce.number().int().min(0).max(65_535).describe('0 takes any free port and logs it'),
    devices: z.array(intakeDeviceSchema).min(1).describe('Who may send'),
  })
  .describe('HTTP intake for small sensors: POST /v1/devices/{uid}/data');
type Section = z.infer<typeof sectionSchema>;

export const protocol: Protocol<Section, Section> = {
  name: 'http',
  schema: sectionSchema,
  resolve: (section, site) => {
    checkIntake(section.devices, site);
    return section;
  },
  start: startHttpIntake,
};

function startHttpIntake(initial: Section, services: Services): Running<Section> {
  let section = initial;
  let listener: HttpListener = open();

  function open(): HttpListener {
    return startHttpListener(section, {
      name: 'http intake',
      services,
      routes: (app) => {
        app.post(['/v1/data', '/v1/devices/:uid/data'], async (request, response) => {
          const tokens = section.devices.map(({ token }) => token);
          const device = section.devices[matchesToken(bearerToken(request.headers.authorization), tokens)];
          if (device === undefined) {
            services.count('intake_denied_total');
            response
              .status(401)
              .json({ error: 'wrong or missing token: send Authorization: Bearer <token>' });
            return;
          }
          const { uid } = request.params as { uid?: string };
          const { status, error } = await takeIn(request.body, { device, uid, services });
          response.status(status).json(error === undefined ? {} : { error });
        });
      },
    });
  }

  return {
    reload: async (next) => {
      const isSamePlace = isDeepStrictEqual([section.host, section.port], [next.host, next.port]);
      for (const { uid, type } of section.devices)
        if (!next.devices.some((device) => device.uid === uid && device.type === type))
          services.forget({ farm: services.farm, deviceType: type, deviceUid: uid });
      section = next;
      if (isSamePlace) return;
      await listener.close();
      listener = open();
    },
    stop: () => listener.close(),
  };
}
