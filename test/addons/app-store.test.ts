// What the Odoo App Store shows of each addon: manifest, icon, banner, page and README are there and name only what exists.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addonNames, addonsDir } from '../../scripts/ops/stack/real/addons.ts';

interface Manifest {
  name: string;
  version: string;
  summary: string;
  author: string;
  license: string;
  category: string;
  images: string[];
  depends: string[];
  data: string[];
  demo?: string[];
}

/** A manifest is a Python literal, ours are simple ones. */
function readManifest(dir: string): Manifest {
  const python = readFileSync(join(dir, '__manifest__.py'), 'utf8');
  const json = python
    .replace(/^\s*#.*$/gm, '')
    .replaceAll("'", '"')
    .replace(/\bTrue\b/g, 'true')
    .replace(/,(\s*[}\]])/g, '$1');
  return JSON.parse(json) as Manifest;
}

/** Width and height of a PNG file. */
function pngSize(file: string): [number, number] {
  const header = readFileSync(file).subarray(0, 24);
  assert.equal(header.toString('latin1', 1, 4), 'PNG', file);
  return [header.readUInt32BE(16), header.readUInt32BE(20)];
}

for (const name of addonNames()) {
  const dir = join(addonsDir, name);
  const description = join(dir, 'static/description');

  test(`${name}: manifest`, () => {
    const manifest = readManifest(dir);
    assert.match(manifest.version, /^19\.0\.\d+\.\d+\.\d+$/);
    assert.equal(manifest.license, 'LGPL-3');
    for (const key of ['name', 'summary', 'author', 'category'] as const) assert.ok(manifest[key], key);
    for (const file of [...manifest.data, ...(manifest.demo ?? []), ...manifest.images])
      assert.ok(existsSync(join(dir, file)), `${file} is in the manifest, but not there`);
    // The first image is the cover of the shop.
    assert.deepEqual(pngSize(join(dir, manifest.images[0] ?? '')), [560, 280]);
  });

  test(`${name}: icon`, () => {
    const [width, height] = pngSize(join(description, 'icon.png'));
    assert.equal(width, height);
    assert.ok(width >= 128, 'a small icon is blurred on the apps screen');
  });

  test(`${name}: page`, () => {
    const page = readFileSync(join(description, 'index.html'), 'utf8');
    // The shop removes scripts and styles, and wants pictures that come with the addon.
    assert.doesNotMatch(page, /<(script|style|link|iframe)/);
    const targets = [...page.matchAll(/\b(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    assert.ok(targets.includes('icon.png'));
    for (const target of targets) {
      assert.ok(existsSync(join(description, target)), `${target} is on the page, but not there`);
      assert.ok(statSync(join(description, target)).size < 200_000, `${target} is too big for a page`);
    }
    for (const image of page.match(/<img [^>]*>/g) ?? []) assert.match(image, / alt="[^"]+"/);
    assert.match(page, /LGPL-3/);
  });

  test(`${name}: README`, () => {
    const readme = readFileSync(join(dir, 'README.rst'), 'utf8');
    const [line = '', title = '', under = ''] = readme.split('\n');
    assert.equal(title, readManifest(dir).name);
    assert.match(line, /^=+$/);
    assert.ok(line.length >= title.length);
    assert.equal(under, line);
  });
}
