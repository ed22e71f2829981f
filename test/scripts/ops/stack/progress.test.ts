// A step that fails has no tick.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withProgress } from '../../../../scripts/ops/stack/progress.ts';

/** What a terminal would show in the end. */
async function shown(work: Parameters<typeof withProgress>[0]): Promise<string[]> {
  let text = '';
  const terminal = {
    isTTY: true,
    write: (part: string) => ((text += part), true),
  } as unknown as NodeJS.WriteStream;
  await withProgress(work, terminal).catch(() => undefined);
  return text
    .split('\n')
    .map((line) => line.split('\u001b[2K').at(-1) ?? '')
    .filter((line) => line !== '')
    .map((line) => line.replace(/ +\d+ s +/, ' '));
}

test('all is well: ticks', async () => {
  const lines = await shown((report) => {
    report('one');
    report('two');
    return Promise.resolve();
  });
  assert.deepEqual(lines, ['✓ one', '✓ two']);
});

test('the last step fails: a cross', async () => {
  const lines = await shown((report) => {
    report('one');
    report('two');
    return Promise.reject(new Error('no'));
  });
  assert.deepEqual(lines, ['✓ one', '✗ two']);
});
