// docker-compose.yml: valid by the Compose specification's schema, and safe in what it says.
// The schema in test/golden is schema/compose-spec.json of github.com/compose-spec/compose-spec, Apache-2.0.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv, type AnySchema } from 'ajv';
import { parse } from 'yaml';
import { repoDir } from '../../scripts/ops/stack/instance.ts';

interface Service {
  image: string;
  user?: string;
  ports?: string[];
  volumes?: string[];
  healthcheck?: unknown;
  profiles?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, unknown>;
}

const text = readFileSync(join(repoDir, 'docker-compose.yml'), 'utf8');
const file = parse(text) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const services = Object.entries(file.services);

test('it follows the Compose specification', () => {
  const schema = JSON.parse(
    readFileSync(join(repoDir, 'test/golden/compose-spec.schema.json'), 'utf8'),
  ) as AnySchema;
  // Formats and the schema's own annotations are not ours to judge.
  const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false });
  const validate = ajv.compile(schema);
  assert.ok(validate(file), ajv.errorsText(validate.errors, { separator: '\n' }));
});

test('every image is pinned to a version', () => {
  for (const [name, { image }] of services) {
    assert.match(image, /:(?!latest$)[\w.-]*(\d|local)[\w.-]*$/, name);
  }
});

test('ports are published on loopback only', () => {
  for (const [name, { ports = [] }] of services) {
    for (const port of ports) assert.match(port, /^(127\.0\.0\.1|\$\{GATEWAY_BIND:-127\.0\.0\.1\}):/, name);
  }
});

test('no secret has a default', () => {
  for (const [, variable = '', rest = ''] of text.matchAll(/\$\{(\w*(?:PASSWORD|TOKEN))([^}]*)\}/g)) {
    assert.ok(rest === '' || rest.startsWith(':?'), `${variable} has the default ${rest}`);
  }
});

test('all that serves has a health check, and what is not always started says so', () => {
  const unchecked = services.filter(([, service]) => service.healthcheck === undefined).map(([name]) => name);
  assert.deepEqual(unchecked, ['simulator']);
  assert.deepEqual(
    services.flatMap(([name, { profiles = [] }]) => profiles.map((profile) => `${name}: ${profile}`)),
    ['simulator: demo', 'prometheus: monitoring', 'grafana: monitoring'],
  );
});

test('what it names exists: volumes, services waited for, folders of this repository', () => {
  for (const [name, service] of services) {
    for (const other of Object.keys(service.depends_on ?? {}))
      assert.ok(other in file.services, `${name}: ${other}`);
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      const isKnown = source.startsWith('./') || source in file.volumes;
      assert.ok(isKnown, `${name}: ${source}`);
    }
  }
});

test('our image runs as an ordinary user', () => {
  const lines = readFileSync(join(repoDir, 'Dockerfile'), 'utf8').split('\n');
  const users = lines.filter((line) => line.startsWith('USER '));
  assert.deepEqual(users, ['USER node']);
});

test('each program has an account of its own at the broker, and gets no secret that it does not need', () => {
  const users = ['connector', 'gateway', 'simulator'].map((name) => ({
    username: file.services[name]?.environment?.['MQTT_USERNAME'],
    password: file.services[name]?.environment?.['MQTT_PASSWORD'],
  }));
  assert.equal(new Set(users.map(({ username }) => username)).size, 3);
  assert.equal(new Set(users.map(({ password }) => password)).size, 3);
  for (const name of ['gateway', 'simulator'])
    for (const key of Object.keys(file.services[name]?.environment ?? {}))
      assert.doesNotMatch(key, /DATABASE|ODOO|CONNECTOR/, name);
});

test('docker compose up without npm start says what to run', () => {
  const missing = [...text.matchAll(/:\?([^}]*)\}/g)].map(([, words]) => words);
  assert.ok(missing.length > 5);
  for (const words of missing) assert.match(words ?? '', /^run npm start/);
});

test('the gateway reaches serial lines, and small sensors reach it', () => {
  const gateway = file.services['gateway'] as Service & { devices?: string[]; group_add?: string[] };
  assert.deepEqual(gateway.devices, ['${GATEWAY_SERIAL:-/dev/null}:/dev/ttyS0']);
  assert.deepEqual(gateway.group_add, ['dialout']);
  assert.equal(gateway.ports?.length, 1);
  assert.ok(gateway.healthcheck);
});
