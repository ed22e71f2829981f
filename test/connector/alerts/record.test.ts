// The one place that makes records of alerts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clearedAlert, newAlert } from '../../../connector/alerts/record.ts';
import { mappings } from '../../../connector/odoo/mapping/index.ts';
import { alertRecordSchema } from '../../../contract/records.ts';

const raised = newAlert({
  farm: 'f',
  alert_type: 'integration',
  severity: 'high',
  message: 'Odoo refuses the key',
  raised_at: '2026-03-01T06:00:00.000Z',
});

test('what a cause does not say is empty, and nobody has looked at it', () => {
  const record = alertRecordSchema.parse(raised);
  assert.deepEqual([record.state, record.cleared_at, record.device_uid], ['new', null, null]);
});

test('what a text takes beside the values travels with it, and nothing where there is nothing', () => {
  const { farm, alert_type, severity, message, raised_at } = raised;
  const parameters = { subject: 'api-key', reason: 'ends soon' };
  const record = newAlert({ farm, alert_type, severity, message, raised_at, parameters });
  assert.equal(mappings.alert.toOdoo(record)['parameters'], '{"subject":"api-key","reason":"ends soon"}');
  assert.ok(!('parameters' in mappings.alert.toOdoo(raised)), 'an addon of before does not know the key');
});

test('when its cause has gone the rest stays as it was', () => {
  const cleared = clearedAlert(raised, '2026-03-01T07:00:00.000Z');
  assert.deepEqual(cleared, { ...raised, state: 'resolved', cleared_at: '2026-03-01T07:00:00.000Z' });
  alertRecordSchema.parse(cleared);
});
