// Data over REST: single values, batches of values, finished milkings. Answers come after the commit.
import * as z from 'zod';
import { isEnvelope } from '../../contract/envelope.ts';
import { buildTopic, isName } from '../../contract/topics.ts';
import { rowSchema } from '../decode/row.ts';
import { submit, submitRows, type IngestPort } from '../ingest/submit.ts';
import { rejectedData, wrongField } from './problem.ts';
import { route, type Route } from './route.ts';

const tag = 'Ingest';
const mostRows = 10_000;
const status = z.enum(['accepted', 'duplicate', 'conflict', 'rejected']);
const resultSchema = z.strictObject({ status, reason: z.string().optional() });
const name = z.string().refine(isName, 'letters, digits, . _ : -, at most 64');
const nameOrNumber = z.union([name, z.int().transform(String)]);

/** The device says who it is in the body, its records are mapped by the profiles of milk meters. */
const milkingSchema = z.looseObject({
  farm: nameOrNumber.optional().describe('Code of the farm; or the parameter farm'),
  device_uid: nameOrNumber.optional().describe('The milk meter'),
  milk_meter_id: nameOrNumber.optional().describe('Another name of device_uid'),
});

const sampleRow = {
  farm: 'farm1',
  device_uid: 'tank_1',
  device_type: 'temperature',
  metric_name: 'temperature',
  metric_value: 4.2,
  timestamp: '2026-11-28T05:30:00Z',
};

/** The routes; `port` throws AppError `transient` while data cannot be taken. */
export function ingestRoutes(port: () => IngestPort, maxBodyBytes: number): Route[] {
  return [valueRoute(port), batchRoute(port, maxBodyBytes), milkingRoute(port)];
}

function valueRoute(port: () => IngestPort): Route {
  return route({
    method: 'post',
    path: '/api/v1/ingest/sensor',
    tag,
    summary: 'One value of one device',
    description: 'A value that cannot be taken is answered with 422 and kept as a dead letter.',
    body: z.unknown(),
    bodyDocument: rowSchema,
    example: { body: sampleRow },
    answer: z.strictObject({
      status: z.enum(['accepted', 'duplicate', 'conflict']),
      reason: z.string().optional(),
    }),
    async handle({ body }) {
      const [result] = await submitRows(port(), [body], Date.now());
      if (result?.status === 'rejected') throw rejectedData(result.reason);
      return result;
    },
  });
}

function batchRoute(port: () => IngestPort, maxBodyBytes: number): Route {
  return route({
    method: 'post',
    path: '/api/v1/ingest/sensor/batch',
    tag,
    summary: `Up to ${mostRows} values`,
    description:
      'Answers row by row, in order: accepted (new), duplicate (this device, metric and moment was stored before), conflict ' +
      '(with another value: the larger of the two is kept) or rejected. ' +
      'A rejected row costs the others nothing; it is kept as a dead letter. Sending a batch again is harmless.',
    body: z.strictObject({ readings: z.array(z.unknown()).min(1).max(mostRows) }),
    bodyDocument: z.strictObject({ readings: z.array(rowSchema).min(1).max(mostRows) }),
    maxBodyBytes,
    judgesRows: true,
    example: { body: { readings: [sampleRow] } },
    answer: z.strictObject({
      status: z.enum(['success', 'partial']).describe('partial: some were rejected'),
      count: z.int().describe('Rows received'),
      accepted: z.int(),
      duplicates: z.int(),
      conflicts: z.int().optional().describe('Only where there are any'),
      rejected: z.int(),
      results: z.array(resultSchema).describe('One a row, in order'),
    }),
    async handle({ body }) {
      const results = await submitRows(port(), body.readings, Date.now());
      const count = (wanted: string) =>
        results.reduce((sum, result) => (result.status === wanted ? sum + 1 : sum), 0);
      const rejected = count('rejected');
      const conflicts = count('conflict');
      return {
        status: rejected === 0 ? 'success' : 'partial',
        count: results.length,
        accepted: count('accepted'),
        duplicates: count('duplicate'),
        ...(conflicts > 0 ? { conflicts } : {}),
        rejected,
        results,
      };
    },
  });
}

function milkingRoute(port: () => IngestPort): Route {
  return route({
    method: 'post',
    path: '/api/v1/ingest/milk-production',
    tag,
    summary: 'A finished milking',
    description:
      'The record as milk meters send it by MQTT (yield_liters, quality, equipment …), an envelope v1, or the flat record ' +
      'with yield_kg; profiles in config/profiles/ decide. Without session_end a flat record ended at its timestamp, without ' +
      'that now.',
    query: z.strictObject({ farm: name.optional() }),
    body: milkingSchema,
    example: {
      query: { farm: 'farm1' },
      body: {
        device_uid: 'meter_1',
        session_id: '2026-11-28-am-7',
        rfid_tag: '050000000000001',
        yield_kg: 12.4,
        fat_percent: 3.9,
        session_end: '2026-11-28T05:42:00Z',
      },
    },
    renamed: { input: { device_uid: 'device_id', farm: 'farm_id' } },
    answer: z.strictObject({
      status: z.enum(['accepted', 'duplicate']),
      farm: z.string(),
      device_uid: z.string(),
    }),
    async handle({ query, body }) {
      const farm = query.farm ?? body.farm;
      const deviceUid = body.device_uid ?? body.milk_meter_id;
      if (farm === undefined) throw wrongField('farm', 'the code of the farm is missing');
      if (deviceUid === undefined) throw wrongField('device_uid', 'the milk meter is missing');
      const topic = buildTopic({ farm, deviceType: 'milk_meter', deviceUid, messageType: 'data' });
      // What the topic says is not said again: envelopes are strict.
      const said = ['farm', 'device_uid', 'milk_meter_id'];
      const payload = Object.fromEntries(
        Object.entries(body).filter(([key, value]) => !said.includes(key) && value !== null),
      );
      // Profiles of milk meters may look at it, as the meters themselves call it.
      if (!isEnvelope(body) && body.device_uid !== undefined) payload['device_id'] = body.device_uid;
      const arrivedAt = Date.now();
      if ('yield_kg' in payload)
        payload['session_end'] ??= payload['timestamp'] ?? new Date(arrivedAt).toISOString();
      const outcome = await submit(port(), {
        topic,
        payload: Buffer.from(JSON.stringify(payload)),
        arrivedAt,
      });
      if (outcome.kind === 'dead') throw rejectedData(outcome.reason);
      // Two milkings that ended in one moment with equal values: the values are known, the second milking is not.
      const isOld =
        outcome.kind === 'stored' &&
        outcome.duplicates.size === outcome.points &&
        outcome.changedMilking !== true;
      return { status: isOld ? 'duplicate' : 'accepted', farm, device_uid: deviceUid };
    },
  });
}
