// The words of the live status.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectorStatus } from '../../../../scripts/ops/start/connector-api.ts';
import { countsLine, loginLines, milkingLine, statusLine } from '../../../../scripts/ops/start/view.ts';

const status: ConnectorStatus = {
  messages_received: 120,
  readings_written: 900,
  duplicates: 0,
  dead_letters: 0,
  milkings_closed: 4,
  outbox_pending: 1,
  outbox_parked: 0,
  odoo_sent: 3,
  odoo_state: 'ok',
  odoo_detail: '',
};

test('counts are named, those that are only bad news are left out while zero', () => {
  assert.equal(
    countsLine(status, true),
    'messages 120 · readings 900 · milkings 4 · sent to Odoo 3 · waiting 1',
  );
  assert.match(
    countsLine({ ...status, dead_letters: 2, outbox_parked: 1 }, false),
    /no Odoo yet.*refused by Odoo 1.*dead letters 2/,
  );
});

test('a milking is told by animal, place, yield and grade', () => {
  const record = { rfid: '050000000000008', device_uid: 'stall-08', stall: '8', yield_kg: 11.28, grade: 'A' };
  assert.equal(milkingLine(record), '050000000000008, stall 8, 11.3 kg, grade A');
  assert.equal(milkingLine({ device_uid: 'meter_002', yield_kg: 9 }), 'unknown animal, meter_002, 9.0 kg');
});

test('what is down is said, and that nothing is lost', () => {
  const line = statusLine({ status, troubles: ['odoo: connection refused'] }, undefined, true);
  assert.match(line, /! odoo: connection refused \| nothing is lost/);
  assert.doesNotMatch(statusLine({ status, troubles: ['odoo: not configured'] }, undefined, false), /!/);
});

test('without Odoo the login lines say where records wait', () => {
  assert.match(loginLines({ ODOO_URL: '' }, '.stack/env').join('\n'), /records wait in the outbox/);
  const env = { ODOO_URL: 'http://127.0.0.1:8069', ODOO_LOGIN: 'admin', ODOO_PASSWORD: 'x' };
  assert.match(loginLines(env, '.stack/env').join('\n'), /8069\n.*admin\n.*x/);
});

test('an Odoo that takes no records is said beside its address', () => {
  const env = { ODOO_URL: 'http://127.0.0.1:1', ODOO_LOGIN: '', ODOO_PASSWORD: '' };
  const lines = loginLines(env, '.stack/env', {
    status,
    troubles: ['odoo: unreachable: connection refused'],
  });
  assert.match(
    lines.join('\n'),
    /Odoo +http:\/\/127\.0\.0\.1:1\n +! Odoo takes no records: unreachable: connection refused\n.*nothing is lost/,
  );
  assert.doesNotMatch(lines.join('\n'), /login|password/);
});
