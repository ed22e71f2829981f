// Odoo's screens in a browser: in Bangla nothing of ours is English, and on a phone nothing is cut off.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { lookAt } from '../../scripts/dev/screens/look.ts';
import { menusOf, openMenu } from '../../scripts/dev/screens/menus.ts';
import { installBangla, personOf } from '../../scripts/dev/screens/roles.ts';
import { launchBrowser, visit, type Login, type Visitor } from '../../scripts/dev/screens/visitor.ts';
import { odooAdmin, odooIntegration } from '../support/odoo.ts';
import { noOdoo, odooDatabase, type TestOdoo } from '../support/stack.ts';

/** Our English terms that have another text in Bangla. */
function ourTerms(): Map<string, string> {
  const terms = new Map<string, string>();
  for (const addon of ['smart_dairy_farm', 'smart_dairy_iot']) {
    const file = readFileSync(`odoo-addon-bridge/${addon}/i18n/bn.po`, 'utf8');
    for (const [, entry = '', english = '', bangla = ''] of file.matchAll(
      /((?:^#.*\n)*)^msgid "(.+)"\nmsgstr "(.+)"$/gm,
    )) {
      // Only what a screen shows: not the messages of Python.
      if (english !== bangla && !/^#: code:.*\.py/m.test(entry))
        terms.set(JSON.parse(`"${english}"`) as string, bangla);
    }
  }
  return terms;
}

/** What Odoo itself has not translated, by chance in words that are ours too. */
const odooOwn = ['New', 'Online', 'Total', 'None', 'Settings', 'View'];

describe('screens', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let browser: Browser;
  let boss: Visitor;
  let admin: Login;
  before(async () => {
    odoo = await odooDatabase();
    browser = await launchBrowser(console.error);
    admin = { url: odoo.url, db: odoo.db, login: odoo.login, password: odoo.password };
    boss = await visit(browser, admin, 1440);
    await installBangla(boss);
    await raiseAlerts();
  });
  after(async () => {
    await browser.close();
    await odoo.drop();
  });

  async function raiseAlerts(): Promise<void> {
    const alert = (n: number, values: Record<string, unknown>) => ({
      source: 'smart_dairy',
      source_id: `farm1/alert/${n}`,
      revision: 1,
      farm: 'farm1',
      severity: 'high',
      state: 'new',
      raised_at: new Date().toISOString().slice(0, 19).replace('T', ' '),
      ...values,
    });
    const english = 'Somatic cell count 849000/mL is above 750000/mL';
    const answers = (await odooIntegration(odoo).call('iot.alert', 'upsert_batch', {
      records: [
        alert(1, {
          alert_type: 'high_scc',
          message: english,
          trigger_value: 849_000,
          threshold_value: 750_000,
          rfid_tag: '050000000000001',
        }),
        alert(2, {
          alert_type: 'device_offline',
          message: 'Device demo_gate is offline',
          device_uid: 'demo_gate',
          device_type: 'gate',
        }),
      ],
    })) as { status: string; error: unknown }[];
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['created', 'created'],
      JSON.stringify(answers),
    );
  }

  test('in Bangla no term of ours is English, on any menu', async () => {
    const manager = await visit(browser, await personOf(boss, admin, 'manager', 'bn'), 1440);
    const terms = ourTerms();
    for (const word of odooOwn) terms.delete(word);
    // What people have called their things is theirs.
    for (const model of ['farm.pen', 'iot.location', 'iot.device', 'iot.device.tag'])
      for (const { name } of await odooAdmin(odoo).read<{ name: string }>(model, [], ['name']))
        terms.delete(name);
    assert.ok(terms.size > 300, `${terms.size} terms`);
    const english: string[] = [];
    const seen: string[] = [];
    for (const menu of await menusOf(manager)) {
      await openMenu(manager, menu);
      const { texts } = await lookAt(manager.page);
      seen.push(...texts);
      english.push(...texts.filter((text) => terms.has(text)).map((text) => `${menu.path}: ${text}`));
    }
    assert.deepEqual(english, []);
    assert.ok(
      seen.some((text) => text.includes('8,49,000')),
      'the alert with its number as it is written there',
    );
    assert.ok(!seen.some((text) => /Somatic|is offline/.test(text)));
    await manager.close();
  });

  test('the terms of our scripts come with the language', async () => {
    const [device] = await odooAdmin(odoo).read<{ id: number }>(
      'iot.device',
      [['device_uid', '=', 'demo_meter_1']],
      ['id'],
    );
    const manager = await visit(browser, await personOf(boss, admin, 'manager', 'bn'), 1440);
    const translations = await manager.page.request.get('/web/webclient/translations?lang=bn_IN');
    const { modules } = (await translations.json()) as {
      modules: Record<string, { messages: { id: string; string: string }[] }>;
    };
    const ours = new Map(modules['smart_dairy_iot']?.messages.map(({ id, string }) => [id, string]));
    for (const term of [
      'Asking the connector…',
      'Doubtful',
      'Latest',
      'Last %s Hours',
      'The latest values cannot be shown now.',
    ])
      assert.match(ours.get(term) ?? '', /[\u0980-\u09ff]/, term);
    // No connector: the form says so, in the reader's language.
    await manager.page.goto(`/odoo/dairy-devices/${device?.id}`);
    const values = manager.page.locator('.o_iot_device_values p');
    await values.waitFor();
    assert.match(await values.innerText(), /[\u0980-\u09ff]/);
    await manager.close();
  });

  test('on a phone every menu fits, and lists are cards', async () => {
    const manager = await visit(browser, await personOf(boss, admin, 'manager', 'en'), 390);
    const wrong: string[] = [];
    for (const menu of await menusOf(manager)) {
      await openMenu(manager, menu);
      const { view, cutOff } = await lookAt(manager.page);
      if (view === 'list' || cutOff > 0) wrong.push(`${menu.path}: ${view}, cut off by ${cutOff} px`);
    }
    assert.deepEqual(wrong, []);
    await manager.close();
  });

  test('who logs in begins at the farm; without a time zone they get the browser’s, and are told', async () => {
    const person = await personOf(boss, admin, 'user', 'en');
    const [user] = await odooAdmin(odoo).read<{ id: number }>(
      'res.users',
      [['login', '=', person.login]],
      ['id'],
    );
    assert.ok(user);
    const staff = await visit(browser, person, 1440);
    await staff.page.waitForURL(/\/odoo\/parlour/);
    // Odoo itself takes the browser's at a login; whoever stays logged in never came by there.
    await odooAdmin(odoo).write('res.users', [user.id], { tz: false });
    await staff.page.reload();
    await staff.page.getByText('Your time zone is Asia/Dhaka now').waitFor();
    const [after] = await odooAdmin(odoo).read<{ tz: string }>('res.users', [['id', '=', user.id]], ['tz']);
    assert.equal(after?.tz, 'Asia/Dhaka');
    await staff.close();
  });
});
