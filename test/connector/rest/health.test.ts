// Readiness in words.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readiness } from '../../../connector/rest/health.ts';
import type { TargetStatus } from '../../../connector/outbox/target.ts';

const up = { ok: true, detail: 'connected' };
const away = { ok: false, detail: 'connection refused' };
const empty = { pending: 0, parked: 0, stale: 0, oldestPendingS: 0 };
const odoo = (state: TargetStatus['state'], detail = 'Odoo 19.0'): TargetStatus => ({
  state,
  detail,
  since: new Date(0),
  sent: 0,
  lastSentAt: undefined,
});

describe('down when data cannot be taken, degraded when it does not reach Odoo', () => {
  for (const [name, database, mqtt, target, outbox, status] of [
    ['all well', up, up, odoo('ok'), empty, 'ready'],
    ['records on their way', up, up, odoo('ok'), { ...empty, pending: 5 }, 'ready'],
    ['no database', away, up, odoo('ok'), empty, 'down'],
    ['no broker', up, away, odoo('ok'), empty, 'down'],
    ['nothing at all', away, away, odoo('unreachable'), empty, 'down'],
    ['Odoo away', up, up, odoo('unreachable'), empty, 'degraded'],
    ['key refused', up, up, odoo('denied'), empty, 'degraded'],
    ['no Odoo configured', up, up, odoo('not_configured'), empty, 'degraded'],
    ['records parked', up, up, odoo('ok'), { ...empty, parked: 1 }, 'degraded'],
  ] as const) {
    test(name, () => assert.equal(readiness(database, mqtt, target, outbox).status, status));
  }
});

test('what it says', () => {
  const { checks } = readiness(up, away, odoo('denied', 'key refused'), {
    pending: 7,
    parked: 2,
    stale: 0,
    oldestPendingS: 61,
  });
  assert.deepEqual(checks, {
    database: up,
    mqtt: away,
    odoo: { ok: false, detail: 'denied: key refused' },
    outbox: {
      ok: false,
      detail: '7 records wait, the oldest for 61 s; 2 are parked: see GET /api/v1/outbox/parked',
    },
  });
  const well = readiness(up, up, odoo('ok'), empty).checks;
  assert.deepEqual([well.odoo.detail, well.outbox.detail], ['Odoo 19.0', 'nothing waits']);
});
