// Former names still count for one version: in what comes in, in answers, and in the document as deprecated.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiDocument } from '../../../connector/rest/openapi.ts';
import { describeFormerNames, withFormerNames, withNewNames } from '../../../connector/rest/renamed.ts';
import { productRoutes } from './product-routes.ts';

const names = { device_uid: 'device_id', next_cursor: 'next_after' };

test('input: a former name is the new one, both at once are a mistake', () => {
  assert.deepEqual(withNewNames({ device_id: 'm1', limit: '5' }, names), { device_uid: 'm1', limit: '5' });
  assert.deepEqual(withNewNames({ device_uid: 'm1' }, names), { device_uid: 'm1' });
  assert.throws(
    () => withNewNames({ device_uid: 'm1', device_id: 'm2' }, names),
    /device_uid: say either this or device_id, its former name/,
  );
  for (const value of [undefined, null, [1], 'text']) assert.deepEqual(withNewNames(value, names), value);
});

test('output: both names, at any depth', () => {
  assert.deepEqual(withFormerNames({ devices: [{ device_uid: 'm1', at: null }], next_cursor: 7 }, names), {
    devices: [{ device_uid: 'm1', device_id: 'm1', at: null }],
    next_cursor: 7,
    next_after: 7,
  });
  const same = { device_uid: 'm1' };
  assert.equal(withFormerNames(same, undefined), same);
});

test('a described answer has the former name as deprecated, and no input needs it', () => {
  const schema = {
    type: 'object',
    properties: { device_uid: { type: 'string', description: 'As in topics' } },
    required: ['device_uid'],
  };
  const former = { type: 'string', deprecated: true, description: 'Former name of device_uid' };
  const properties = { ...schema.properties, device_id: former };
  const required = ['device_uid', 'device_id'];
  assert.deepEqual(describeFormerNames(schema, names), { ...schema, properties, required });
  assert.deepEqual(describeFormerNames(schema, names, 'input'), { ...schema, properties });
});

/** Names that one version ago stood for what has another name now. */
const former = [
  'device_id',
  'device_ids',
  'farm_id',
  'milk_session',
  'sessions',
  'start_date',
  'start_time',
  'since',
  'end_date',
  'end_time',
  'after',
  'after_id',
  'before',
  'next_after',
  'next_before',
  'refused',
];

test('no route has a former name that is not marked as deprecated', () => {
  const { paths } = openApiDocument(productRoutes()) as { paths: object };
  const found: string[] = [];
  let deprecated = 0;
  const look = (value: unknown, place: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const { name, deprecated: isDeprecated } = value as { name?: unknown; deprecated?: unknown };
    if (isDeprecated === true) {
      deprecated++;
      return;
    }
    if (
      former.some(
        (word) => word === name || place.endsWith(`/properties/${word}`) || place.includes(`{${word}}`),
      )
    )
      found.push(place);
    for (const [key, inner] of Object.entries(value)) look(inner, `${place}/${key}`);
  };
  look(paths, '');
  assert.deepEqual(found, []);
  assert.ok(deprecated > 30, String(deprecated));
});
