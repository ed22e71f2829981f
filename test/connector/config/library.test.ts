// Profiles and metrics read again: what is right comes into use, what is wrong does not, and says where.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import { openLibrary } from '../../../connector/config/library.ts';
import { AppError } from '../../../contract/errors.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'smart-dairy-library-'));
  cpSync('config/profiles', join(folder, 'profiles'), { recursive: true });
  cpSync('config/metrics.yaml', join(folder, 'metrics.yaml'));
});
after(() => rmSync(folder, { recursive: true }));

const open = () =>
  openLibrary(join(folder, 'metrics.yaml'), join(folder, 'profiles'), pino({ level: 'silent' }));
const file = () => join(folder, 'profiles/ph-json.yaml');

test('changes come into use together, after what has to be done before', async () => {
  const library = open();
  const before = library.profiles;
  await library.refresh();
  assert.equal(library.profiles, before, 'nothing has changed');
  const prepared: boolean[] = [];
  library.beforeUse(
    ({ profiles }) => void prepared.push(profiles.has('ph-new'), library.profiles.has('ph-new')),
  );
  const text = readFileSync(file(), 'utf8');
  writeFileSync(join(folder, 'profiles/ph-new.yaml'), text.replace(/^profile: .*/m, 'profile: ph-new'));
  await Promise.all([library.refresh(), library.refresh()]);
  assert.deepEqual(prepared, [true, false]);
  assert.ok(library.profiles.has('ph-new'));
  assert.equal(library.refused(), undefined);
});

test('a wrong file is refused with its place, again and again, until it is mended; the old ones stay', async () => {
  const library = open();
  const { profiles, catalogue } = library;
  const text = readFileSync(file(), 'utf8');
  writeFileSync(file(), `${text}\ncolour: blue\n`);
  for (let time = 0; time < 2; time++)
    await assert.rejects(library.refresh(), (error) => {
      assert.ok(error instanceof AppError && error.kind === 'invalid');
      assert.match(error.message, /ph-json\.yaml:\d+:\d+: .*colour/);
      return true;
    });
  assert.match(library.refused() ?? '', /colour/);
  assert.deepEqual([library.profiles, library.catalogue], [profiles, catalogue]);
  writeFileSync(file(), text);
  await library.refresh();
  assert.equal(library.refused(), undefined);
});

test('a metric whose range lets no value count is refused, at the start and when it changes', async () => {
  const library = open();
  const { catalogue } = library;
  const metrics = join(folder, 'metrics.yaml');
  const text = readFileSync(metrics, 'utf8');
  writeFileSync(
    metrics,
    text.replace("ph: { unit: '[pH]', min: 0, max: 14", "ph: { unit: '[pH]', min: 14, max: 0"),
  );
  const message = /metrics\.yaml:\d+:\d+: metrics\.ph\.min: 14 is not below max, 0$/;
  await assert.rejects(library.refresh(), message);
  assert.equal(library.catalogue, catalogue);
  assert.throws(open, message);
  writeFileSync(metrics, text);
});

test('a folder of profiles that is not there is an answer, not a stack trace', () => {
  assert.throws(
    () => openLibrary(join(folder, 'metrics.yaml'), join(folder, 'none'), pino({ level: 'silent' })),
    {
      kind: 'invalid',
      message: `${folder}/none: cannot be read. Is it a folder, and may this user read it?`,
    },
  );
});

test('a preparation may refuse; what was transient is tried again without a change', async () => {
  const library = open();
  let kind: 'transient' | undefined = 'transient';
  library.beforeUse(() => {
    if (kind !== undefined) throw new AppError(kind, 'the database is away');
  });
  const text = readFileSync(file(), 'utf8');
  writeFileSync(file(), `# another comment\n${text}`);
  const { profiles } = library;
  await assert.rejects(library.refresh(), /database is away/);
  await assert.rejects(library.refresh(), /database is away/);
  assert.equal(library.profiles, profiles);
  kind = undefined;
  await library.refresh();
  assert.notEqual(library.profiles, profiles);
});

test('wrong from the start is an error', () => {
  const text = readFileSync(file(), 'utf8');
  writeFileSync(file(), 'profile: [');
  assert.throws(open, /ph-json\.yaml:\d+:\d+/);
  writeFileSync(file(), text);
});
