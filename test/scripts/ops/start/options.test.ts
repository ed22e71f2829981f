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

test('a misspelt option is answered with a near match, a value that makes no sense with its range', () => {
  assert.throws(() => parseOptions(['--detatch']), /unknown option --detatch; did you mean '--detach'\?/);
  assert.throws(() => parseOptions(['--stalls']), /--stalls.*argument missing/);
  assert.throws(
    () => parseOptions(['--stalls', 'many']),
    /a whole number from 0 to 247 expected, found 'many'/,
  );
  assert.throws(() => parseOptions(['--faults', 'garbge']), /did you mean 'garbage'/);
  assert.throws(() => parseOptions(['--real', '--docker']), /choose one of --docker and --real/);
  assert.throws(() => parseOptions(['embedded']), /unexpected argument 'embedded'/);
});
