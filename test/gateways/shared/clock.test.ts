// A clock that knows when it is wrong.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClock } from '../../../gateways/shared/clock.ts';

const today = Date.UTC(2026, 10, 20);
const nowhere = '/no/such/file';

test('before the first release, or before what was seen already, it is wrong; a minute back is its own correction', () => {
  const at = (wall: number, latest = 0) =>
    createClock({ check: 'auto', file: nowhere, latest, wall: () => wall }).now();
  assert.equal(at(Date.UTC(1970, 0, 1)).isSynchronised, false);
  assert.equal(at(today, today + 61_000).isSynchronised, false);
  assert.equal(
    createClock({ check: 'trust', file: nowhere, latest: today, wall: () => 0 }).now().isSynchronised,
    true,
  );
  const { at: told } = createClock({ check: 'trust', file: nowhere, latest: 0, wall: () => today }).now();
  assert.equal(told, today);
});

test('where it is asked, a file says that it is right, and stays believed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'clock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'synchronized');
  t.mock.method(performance, 'now', () => elapsed);
  let elapsed = 0;
  const clock = createClock({ check: 'file', file, latest: today, wall: () => today });
  assert.equal(clock.now().isSynchronised, false);
  writeFileSync(file, '');
  // The disk is not asked at every reading.
  assert.equal(clock.now().isSynchronised, false);
  elapsed = 5000;
  assert.equal(clock.now().isSynchronised, true);
  rmSync(file);
  elapsed = 20_000;
  assert.equal(clock.now().isSynchronised, true);
});

test('a minute behind what was seen is still right', () => {
  const clock = createClock({
    check: 'file',
    file: import.meta.filename,
    latest: today + 59_000,
    wall: () => today,
  });
  assert.equal(clock.now().isSynchronised, true);
});
