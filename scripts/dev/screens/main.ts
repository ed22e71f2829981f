// npm run screens: each menu of the product as five roles, in two languages and at two widths, as pictures to be looked at.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { atMost, readArgs, runCommand, UsageError } from '../../../contract/runtime/command-line.ts';
import { readEnvFile } from '../../ops/stack/env-file.ts';
import { openInstance, repoDir } from '../../ops/stack/instance.ts';
import { lookAt } from './look.ts';
import { menusOf, openMenu, settled } from './menus.ts';
import { installBangla, languages, personOf, roles, type Language, type Role } from './roles.ts';
import { launchBrowser, visit, type Login } from './visitor.ts';

const widths = ['1440', '390'];
const usage = `Usage: npm run screens [-- OPTIONS]    of the Odoo that npm start has started
  --out DIR          where the pictures go, outside of this folder (${join(tmpdir(), 'smart-dairy-screens')})
  --roles a,b        some of ${Object.keys(roles).join(', ')}
  --languages a,b    some of ${Object.keys(languages).join(', ')}
  --widths a,b       pixels (${widths.join(',')})
  --menus WORD       only menus with the word in their XML id
Makes a user for each role in that Odoo, and installs Bangla. Environment: ODOO_URL, ODOO_DB, ODOO_LOGIN, ODOO_PASSWORD for another one.`;

interface Tour {
  role: Role;
  language: Language;
  width: number;
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = readArgs(args, {
    out: { type: 'string', default: join(tmpdir(), 'smart-dairy-screens') },
    roles: { type: 'string', default: Object.keys(roles).join(',') },
    languages: { type: 'string', default: Object.keys(languages).join(',') },
    widths: { type: 'string', default: widths.join(',') },
    menus: { type: 'string', default: '' },
  });
  atMost(0, positionals);
  const out = resolve(values.out);
  const inside = relative(repoDir, out);
  if (!inside.startsWith('..') && !isAbsolute(inside))
    throw new UsageError('--out: a folder outside of this one expected');
  mkdirSync(out, { recursive: true });
  const tours = some('roles', values.roles, roles).flatMap((role) =>
    some('languages', values.languages, languages).flatMap((language) =>
      values.widths.split(',').map((width): Tour => ({ role, language, width: Number(width) })),
    ),
  );
  const browser = await launchBrowser(console.error);
  try {
    for (const tour of tours) await walk(browser, adminLogin(), tour, { out, word: values.menus });
  } finally {
    await browser.close();
  }
  console.log(`pictures in ${out}`);
}

/** Opens every menu that the role has, and takes its picture. One line a screen. */
async function walk(
  browser: Browser,
  admin: Login,
  { role, language, width }: Tour,
  { out, word }: { out: string; word: string },
): Promise<void> {
  const boss = await visit(browser, admin, Number(widths[0]));
  if (language === 'bn') await installBangla(boss);
  const person = await personOf(boss, admin, role, language);
  await boss.close();
  const visitor = await visit(browser, person, width);
  const name = `${role}-${language}-${width}`;
  await settled(visitor.page);
  await visitor.page.screenshot({ path: join(out, `${name}-00-home.png`) });
  const lines: string[] = [];
  for (const [i, menu] of (await menusOf(visitor)).entries()) {
    if (!menu.xmlId.includes(word)) continue;
    await openMenu(visitor, menu);
    const { view, cutOff, texts } = await lookAt(visitor.page);
    const file = `${name}-${String(i + 1).padStart(2, '0')}-${menu.xmlId.split('.')[1] ?? ''}.png`;
    await visitor.page.screenshot({ path: join(out, file), animations: 'disabled' });
    console.log(`${file}  ${view}${cutOff > 0 ? `  cut off by ${cutOff} px` : ''}`);
    if (language === 'bn')
      lines.push(`${menu.path}: ${texts.filter((text) => /[A-Za-z]{3}/.test(text)).join(' | ')}`);
  }
  if (lines.length > 0) writeFileSync(join(out, `${name}-latin.txt`), `${lines.join('\n')}\n`);
  await visitor.close();
}

function adminLogin(): Login {
  const env = { ...readEnvFile(openInstance('demo')), ...process.env };
  const { ODOO_URL: url = '', ODOO_DB: db = '', ODOO_LOGIN: login = '', ODOO_PASSWORD: password = '' } = env;
  if (url === '' || password === '')
    throw new Error(
      'there is no Odoo to look at: run npm start, with an Odoo (root on Debian or Ubuntu, or Docker)',
    );
  return { url, db, login, password };
}

function some<T extends string>(option: string, text: string, known: Readonly<Record<T, unknown>>): T[] {
  return text.split(',').map((word) => {
    if (!Object.hasOwn(known, word))
      throw new UsageError(`--${option}: '${word}' is none of ${Object.keys(known).join(', ')}`);
    return word as T;
  });
}

await runCommand(usage, main);
