// Which MQTT version a gateway speaks: 5, whose broker says what it refuses; 3.1.1 only where a broker knows nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVersionChoice } from '../../../gateways/shared/protocol-version.ts';

test('5 until the broker says that it does not know it', () => {
  for (const code of [1, 0x84, 0x82]) {
    const choice = createVersionChoice();
    assert.equal(choice.version(), 5);
    assert.equal(choice.refused(code), true);
    assert.equal(choice.version(), 4);
    assert.equal(choice.refused(code), false, 'there is no third one');
  }
});

test('a refused login, or a network that fails, says nothing of the version', () => {
  const choice = createVersionChoice();
  for (const code of [5, 0x86, 0x87, 'ECONNREFUSED', undefined]) assert.equal(choice.refused(code), false);
  choice.silent();
  choice.silent();
  assert.equal(choice.version(), 5);
});

test('where the broker hangs up without a word the versions take turns', () => {
  const choice = createVersionChoice();
  const spoken = Array.from({ length: 9 }, () => {
    choice.silent();
    return choice.version();
  });
  assert.deepEqual(spoken, [5, 5, 4, 4, 4, 5, 5, 5, 4]);
});

test('after a good connection it is 5 again: the broker may have been updated', () => {
  const choice = createVersionChoice();
  choice.refused(1);
  choice.ended();
  assert.equal(choice.version(), 5);
});
