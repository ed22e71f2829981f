// The choice of the stack: docker before real before embedded, with the reason in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseMode, decideMode, forcedMode } from '../../../../scripts/ops/stack/choose.ts';

test('docker is taken where an engine answers, even by root', () => {
  assert.equal(chooseMode({ noDocker: '', noReal: '' }).mode, 'docker');
});

test('root on Debian without Docker gets the real services', () => {
  const choice = chooseMode({ noDocker: 'no Docker engine answers', noReal: '' });
  assert.equal(choice.mode, 'real');
  assert.match(choice.why, /no Docker engine answers/);
});

test('otherwise embedded, saying what the better ones lack', () => {
  const choice = chooseMode({ noDocker: 'no Docker engine answers', noReal: 'not root' });
  assert.equal(choice.mode, 'embedded');
  assert.match(choice.why, /no Docker engine answers; not root/);
});

test('an argument forces a mode, two are a mistake', async () => {
  assert.equal(forcedMode(['--embedded']), 'embedded');
  assert.equal(forcedMode(['--instance', 'test']), undefined);
  assert.throws(() => forcedMode(['--real', '--docker']), /choose one/);
  assert.equal((await decideMode(['--embedded'])).mode, 'embedded');
});
