// What npm test makes of its arguments and of Odoo's log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResult } from '../../../../scripts/dev/test/addon-tests.ts';
import { findTests } from '../../../../scripts/dev/test/node-tests.ts';
import { isSelected, parseOptions, wantsAddonTests } from '../../../../scripts/dev/test/options.ts';

const log = (line: string): string =>
  `2026-01-01 10:00:00,000 1 INFO x odoo.tests.result: ${line} when loading database 'x'\n`;

test("Odoo's closing line gives the counts", () => {
  const { passed, failed, skipped } = readResult(log('1 failed, 2 error(s) of 42 tests'), 1);
  assert.deepEqual({ passed, failed, skipped }, { passed: 39, failed: 3, skipped: 0 });
});

test('no closing line, no test, or a bad exit code is a failure', () => {
  assert.equal(readResult('', 0).failed, 1);
  assert.equal(readResult(log('0 failed, 0 error(s) of 0 tests'), 0).failed, 1);
  assert.equal(readResult(log('0 failed, 0 error(s) of 7 tests'), 1).failed, 1);
  assert.equal(readResult(log('0 failed, 0 error(s) of 7 tests'), 0).failed, 0);
});

test('patterns choose files, and the addon tests like any other', () => {
  const options = parseOptions(['outbox']);
  assert.equal(isSelected(options, 'test/connector/outbox/worker.test.ts'), true);
  assert.equal(isSelected(options, 'test/gateways/modbus/plan.test.ts'), false);
  assert.equal(wantsAddonTests(options), false);
  assert.equal(wantsAddonTests(parseOptions(['addon'])), true);
  assert.equal(wantsAddonTests(parseOptions(['--no-odoo'])), false);
  assert.throws(() => parseOptions(['--no-oddo']), /unknown option/);
});

test('tests that stop services are kept apart', () => {
  const { parallel, fault } = findTests(() => true);
  assert.ok(parallel.length > 0);
  assert.ok(parallel.every((file) => !file.includes('.fault.')));
  assert.ok(fault.every((file) => file.endsWith('.fault.test.ts')));
});
