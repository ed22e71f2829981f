// What small sensors send by HTTP or CoAP: one contract, a token per device. Forwards; the connector knows the profiles.
import * as z from 'zod';
import { envelopeSchema, isEnvelope } from '../../contract/envelope.ts';
import { firstIssue, safeParse } from '../../contract/safe-parse.ts';
import { buildTopic, deviceTypeSchema, isName } from '../../contract/topics.ts';
import { nameSchema } from './config.ts';
import type { DeviceAddress, Services, Site } from './protocol.ts';

export const intakeDeviceSchema = z.strictObject({
  uid: nameSchema.describe('Device uid, as in the topic'),
  type: deviceTypeSchema.describe('Device type, as in the topic'),
  token: z
    .string()
    .min(16, 'at least 16 characters')
    .describe('What it shows as proof; no two devices share one'),
  stall: z.string().max(32).optional().describe('Milking point'),
});
export type IntakeDevice = z.infer<typeof intakeDeviceSchema>;

/** Claims uids; a token that two devices share would make them one. */
export function checkIntake(devices: readonly IntakeDevice[], site: Site): void {
  devices.forEach(({ uid, token }, index) => {
    site.claim(uid, ['devices', index]);
    if (devices.findIndex((other) => other.token === token) !== index)
      site.complain(['devices', index, 'token'], 'another device has the same token');
  });
}

/** What becomes of a message; `status` as in HTTP. */
export interface IntakeAnswer {
  status: 202 | 400 | 403 | 503;
  error?: string;
}

/** Takes one JSON body of a device that has shown its token. `uid` is what the path names, if it names one. */
export async function takeIn(
  body: unknown,
  { device, uid, services }: { device: IntakeDevice; uid: string | undefined; services: Services },
): Promise<IntakeAnswer> {
  const labels = { device: device.uid };
  const refuse = (status: 400 | 403, error: string): IntakeAnswer => {
    services.count('intake_refused_total', labels);
    return { status, error };
  };
  if (uid !== undefined && uid !== device.uid)
    return refuse(403, `this token belongs to another device than '${isName(uid) ? uid : '?'}'`);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return refuse(400, 'the body is not a JSON object');
  const address: DeviceAddress = { farm: services.farm, deviceType: device.type, deviceUid: device.uid };
  let isStored: boolean;
  if (isEnvelope(body)) {
    const parsed = safeParse(envelopeSchema, body);
    if (!parsed.success) return refuse(400, `envelope v1: ${firstIssue(parsed.error)}`);
    const place = device.stall === undefined ? {} : { stall: device.stall };
    isStored = await services.publish(address, { ...place, ...parsed.data });
  } else {
    // Foreign JSON goes on as it is: a profile of the connector maps it. One without a time would get the time of its
    // arrival there, which after an outage is wrong, so it gets the time of its arrival here.
    const stamped = 'timestamp' in body ? body : { ...body, timestamp: new Date().toISOString() };
    isStored = await services.publishRaw(
      buildTopic({ ...address, messageType: 'data' }),
      JSON.stringify(stamped),
    );
  }
  services.count('intake_messages_total', labels);
  services.report(address, 'online');
  return isStored ? { status: 202 } : { status: 503, error: 'the disk takes nothing; send it again later' };
}
