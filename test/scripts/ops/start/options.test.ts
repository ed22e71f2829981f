// The command line of npm start.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../../../../scripts/ops/start/options.ts';

test('nothing means: run in the foreground, with the simulator', () => {
  assert.deepEqual(parseOptions([]), { action: 'run', withSimulator: true, simulatorArgs: [], modeArgs: [] });
});

test('options of the simulator and the mode are passed on', () => {
  assert.deepEqual(parseOptions(['--detach', '--embedded', '--stalls', '12', '--faults', 'slow,garbage']), {
    action: 'detach',
    withSimulator: true,
    simulatorArgs: ['--stalls', '12', '--faults', 'slow,garbage'],
    modeArgs: ['--embedded'],
  });
  assert.equal(parseOptions(['--no-simulator']).withSimulator, false);
});

test('a misspelt option is answered with the usage', () => {
  assert.throws(() => parseOptions(['--detatch']), /unknown argument --detatch\nUsage/);
  assert.throws(() => parseOptions(['--stalls']), /--stalls wants a value/);
});
