// Which messages say something new of a milking although their values are known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceMilkingEvent } from '../../../connector/ingest/milking-events.ts';
import { rowsThatTold } from '../../../connector/ingest/told.ts';
import { statementOf, type MilkingEvent } from '../../../connector/milkings/evidence.ts';

const at = Date.parse('2026-11-28T05:42:00Z');
const points = [{ metric: 'milk_yield', time: at, value: 12.4 }];

/** A finished record whose values came before, unless it says otherwise. */
const said = (row: number, wireId: string | undefined, more: Partial<MilkingEvent> = {}) =>
  ({
    row,
    event: { wireId, event: 'record', at, points, newPoints: [], replaced: [], ...more },
  }) as unknown as DeviceMilkingEvent;
const stored = (wireId: string, { event }: DeviceMilkingEvent) => ({
  wireId,
  evidence: { records: [statementOf(event)] },
});
const changed = (...ids: string[]) => ids.map((wireId) => ({ wireId }));

test('the second of two milkings in one moment, once', () => {
  const [first, second, again] = [said(0, 'a', { newPoints: points }), said(1, 'b'), said(2, 'b')];
  assert.deepEqual(rowsThatTold([first, second, again], [], changed('a', 'b')), [1]);
});

test('nobody who repeats what is stored, or whose milking stays as it was', () => {
  const [repeated, second] = [said(0, 'a'), said(1, 'b')];
  assert.deepEqual(rowsThatTold([repeated, second], [stored('a', repeated)], changed('a', 'b')), [1]);
  assert.deepEqual(rowsThatTold([repeated, second], [], changed('b')), [1]);
  assert.deepEqual(rowsThatTold([repeated], [], []), []);
});

test('a message of a milking without id, and one that ends it without a value', () => {
  const end = said(0, undefined, { event: 'end', points: [] });
  assert.deepEqual(rowsThatTold([end], [], changed('at:2026-11-28T05:40:00.000Z')), [0]);
  const known = [{ wireId: 'x', evidence: { loose: [statementOf(end.event)] } }];
  assert.deepEqual(rowsThatTold([end], known, changed('x')), []);
});
