// A person follows docs/odoo.md in a browser, from a new database to the first milking. With SCREENSHOTS=1 the pictures of
// that page are made anew. One at a time with other tests, because it uses the farm and the devices of that page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { openOdoo, type OdooBrowser } from '../support/browser.ts';
import { eventually, startConnector, type TestConnector } from '../support/connector.ts';
import { odooCommand } from '../support/odoo-command.ts';
import { noOdoo, plainOdooDatabase, stackEnv, type TestOdoo } from '../support/stack.ts';

const page = readFileSync('docs/odoo.md', 'utf8');
const secret = 'a-secret-of-the-onboarding-test';

/** The messages of the page's mosquitto_pub lines, as a shell expands them. */
function documentedMessages(): { topic: string; payload: string }[] {
  const commands = [...page.matchAll(/^```\n(mosquitto_pub [^]*?)^```/gm)].map((match) => match[1] ?? '');
  return commands.map((command) => {
    const script = `mosquitto_pub() { printf '%s\\0' "$@"; }\n${command}`;
    const words = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\0');
    const after = (option: string) => words[words.indexOf(option) + 1] ?? '';
    return { topic: after('-t'), payload: after('-m') };
  });
}

/** What earlier tests left retained at the broker would come up as devices of this Odoo. */
async function forgetRetained(): Promise<void> {
  const { MQTT_URL = '', MQTT_USERNAME = '', MQTT_PASSWORD = '' } = stackEnv();
  const mqtt = await connectAsync(MQTT_URL, { username: MQTT_USERNAME, password: MQTT_PASSWORD });
  const topics = new Set<string>();
  mqtt.on('message', (topic, _payload, { retain }) => {
    if (retain) topics.add(topic);
  });
  await mqtt.subscribeAsync('#', { qos: 1 });
  await sleep(1_000);
  await mqtt.unsubscribeAsync('#');
  for (const topic of topics) await mqtt.publishAsync(topic, '', { retain: true, qos: 1 });
  await mqtt.endAsync();
}

describe('docs/odoo.md, followed in a browser', { skip: noOdoo() }, () => {
  let odoo: TestOdoo;
  let browser: OdooBrowser;
  let connector: TestConnector | undefined;
  before(async () => {
    await forgetRetained();
    odoo = await plainOdooDatabase();
    browser = await openOdoo(odoo);
  });
  after(async () => {
    await browser.close();
    await connector?.drop();
    await odoo.drop();
  });

  const screen = () => browser.page;
  const button = (name: string) =>
    screen().locator('.o_action_manager').getByRole('button', { name, exact: true });
  const text = (wanted: string) => screen().getByText(wanted).first().waitFor();
  const field = (name: string) => screen().locator(`.o_form_view [name="${name}"]`).first();
  const gettingStarted = async () => {
    await browser.open('/odoo/milkings');
    await screen().locator('.o_menu_sections').getByText('Configuration').click();
    await screen().getByRole('menuitem', { name: 'Getting Started' }).click();
    await text('Four steps to the first milking');
  };
  const publish = async (number: number) => {
    const message = documentedMessages()[number];
    assert.ok(message, `docs/odoo.md has no message number ${number}`);
    await connector?.mqtt.publishAsync(message.topic, message.payload, { qos: 1 });
  };
  /** Looks again and again, as a person who presses reload. */
  const untilShown = (what: string, look: () => Promise<boolean>) => eventually(what, look);

  it('installs from the Apps screen', () =>
    browser.step(async () => {
      const update = screen().locator('.o_menu_sections').getByText('Update Apps List');
      // Odoo may show the menu that it remembers from before the developer mode, and the right one the next time.
      await eventually('the menu of the developer mode', async () => {
        await browser.open('/odoo/apps?debug=1');
        await update.waitFor({ timeout: 3_000 });
      });
      await update.click();
      await screen().locator('.modal').getByRole('button', { name: 'Update' }).click();
      await screen().locator('.modal').waitFor({ state: 'detached' });
      await browser.open('/odoo/apps?debug=0');
      await screen().getByRole('searchbox').fill('Smart Dairy');
      await screen().getByRole('searchbox').press('Enter');
      const app = screen().locator('.o_kanban_record', { hasText: 'Smart Dairy IoT' });
      await eventually(
        'the two apps',
        async () => (await screen().locator('.o_kanban_record:not(.o_kanban_ghost)').count()) === 2,
      );
      await browser.picture('onboarding-1-apps');
      await app.getByRole('button', { name: 'Activate' }).click();
      // Odoo loads itself anew when it is done.
      await screen().waitForURL((url) => !url.pathname.startsWith('/odoo/apps'), { timeout: 120_000 });
      await browser.open('/odoo/milkings');
      await text('No milking yet');
    }));

  it('makes the key, starts the connector and connects', () =>
    browser.step(async () => {
      const command = await odooCommand(odoo.db);
      const answer = await command.run(['shell'], readFileSync('odoo-addon-bridge/bootstrap.py', 'utf8'));
      command.end();
      const { login, api_key: apiKey } = JSON.parse(answer) as { login: string; api_key: string };
      assert.equal(login, 'smart_dairy_connector');
      connector = await startConnector({
        odoo: { ...odoo, apiKey },
        delivered: true,
        env: { CONNECTOR_ODOO_SECRET: secret },
      });
      await gettingStarted();
      await field('connector_url').locator('input').fill(connector.url);
      const secretField = field('connector_secret').locator('input');
      await secretField.fill('something else');
      await button('Save and Test').click();
      await text('the signature is wrong');
      await screen().locator('.o_notification_close').click();
      // The form comes anew, with an empty field.
      await eventually('the field is empty', async () => (await secretField.inputValue()) === '');
      assert.equal(await screen().getByText('Odoo and the connector know each other').isVisible(), false);
      await secretField.fill(secret);
      await button('Save and Test').click();
      await text('The connector answers.');
      await text('Odoo and the connector know each other.');
      await browser.picture('onboarding-2-connect');
      await screen().locator('.o_notification_close').click();
    }));

  it('names the farm that the devices were faster to tell of', () =>
    browser.step(async () => {
      await button('Farms').click();
      await screen().getByRole('cell', { name: 'farm1' }).first().click();
      await field('name').locator('input').fill('Green Meadow');
      await browser.picture('onboarding-3-farm');
      await button('Confirm Farm').click();
      await button('Confirm Farm').waitFor({ state: 'hidden' });
      await screen().locator('.o_statusbar_status .o_arrow_button_current', { hasText: 'Active' }).waitFor();
    }));

  it('imports the herd from the template', () =>
    browser.step(async () => {
      await gettingStarted();
      await button('Import Animals').click();
      const link = screen().locator('a', { hasText: 'Import Template for Animals' });
      const template = await screen().request.get(odoo.url + ((await link.getAttribute('href')) ?? ''));
      const [chooser] = await Promise.all([
        screen().waitForEvent('filechooser'),
        button('Upload Data File').click(),
      ]);
      const mimeType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
      await chooser.setFiles({ name: 'farm_animal.xlsx', mimeType, buffer: await template.body() });
      await button('Test').click();
      await text('Everything seems valid.');
      await browser.picture('onboarding-4-import');
      await button('Import').click();
      await screen().locator('.o_list_view .o_data_row').nth(4).waitFor();
      const bella = screen().locator('.o_data_row', { hasText: 'Bella' });
      assert.match(
        await bella.innerText(),
        /BD-1001\s+050000000000001\s+Crossbred[^]*Green Meadow[^]*Lactating/,
      );
      await browser.picture('onboarding-5-herd');
    }));

  it('shows a device that talks as discovered, and accepts it', () =>
    browser.step(async () => {
      await publish(0);
      await untilShown('the discovered device is counted', async () => {
        await gettingStarted();
        return (await field('discovered_count').innerText()) !== '0';
      });
      await button('Devices').click();
      await screen().locator('.o_data_row', { hasText: 'meter_001' }).click();
      await text('This device talks already');
      const vacuum = screen().locator('.o_iot_device_values tr', { hasText: 'Vacuum' });
      assert.match(await vacuum.innerText(), /Vacuum\s+42\.5 kPa/);
      await browser.picture('onboarding-6-discovered', 960);
      await button('Accept').click();
      await screen()
        .locator('.o_statusbar_status .o_arrow_button_current', { hasText: 'Registered' })
        .waitFor();
      await eventually('the connector knows it', async () => {
        const sql = `SELECT 1 FROM iot.device WHERE device_uid = 'meter_001' AND state = 'registered'`;
        return (await connector?.query(sql))?.length === 1;
      });
    }));

  it('shows the first milking with its animal', () =>
    browser.step(async () => {
      await publish(1);
      const row = screen().locator('.o_data_row', { hasText: 'Bella' });
      await untilShown('the milking', async () => {
        await browser.open('/odoo/milkings');
        await screen().locator('.o_list_view').waitFor();
        return (await row.count()) === 1;
      });
      assert.match(await row.innerText(), /P1\s+11\.7[^]*3\.90\s+3\.30[^]*120,?000[^]*Identified/);
      await browser.picture('onboarding-7-milking');
      await gettingStarted();
      for (const done of [
        'Odoo and the connector know each other',
        'The herd is here',
        'There are accepted devices',
        'Milkings arrive',
      ])
        await text(done);
      await browser.picture('onboarding-8-done');
      assert.deepEqual(browser.errors, []);
    }));

  it('draws the values of the day, and the form opens when the connector is away', () =>
    browser.step(async () => {
      const at = (minutesAgo: number) => Date.now() - minutesAgo * 60_000;
      const points = Array.from({ length: 90 }, (_, i) => ({
        m: 'temperature',
        t: at(15 * i),
        v: 4 + Math.sin(i / 9),
      }));
      const envelope = { v: 1, at: at(0), points };
      await connector?.mqtt.publishAsync('dairy/farm1/temperature/tank_1/data', JSON.stringify(envelope), {
        qos: 1,
      });
      // Values that come late are summed up by the next run of the job, which is within a minute.
      await eventually('the values are stored', async () => {
        const rows = await connector?.query(`SELECT 1 FROM iot.reading r JOIN iot.metric m ON m.id = metric_id
                                             WHERE m.name = 'temperature' HAVING count(*) = 90`);
        return rows?.length === 1;
      });
      await connector?.query(`CALL iot.refresh_rollups('0 s')`);
      await eventually('the tank is in the list', async () => {
        await browser.open('/odoo/dairy-discovered?view_type=list');
        await screen()
          .locator('.o_kanban_record, .o_data_row', { hasText: 'tank_1' })
          .first()
          .click({ timeout: 5_000 });
      });
      const chart = screen().locator('.o_iot_device_values canvas');
      await chart.waitFor();
      assert.match(
        (await chart.getAttribute('aria-label')) ?? '',
        /^Temperature in the last 24 hours: 3(\.0\d?)? to (5|4\.9\d?) °C$/,
      );
      await browser.picture('odoo-device-form', 880);
      await connector?.stop();
      await eventually('it says that the connector is away', async () => {
        await screen().reload();
        await screen().getByText('Everything else works.').waitFor({ timeout: 2_000 });
      });
      await screen().locator('.o_form_view [name="device_uid"]').first().waitFor();
      assert.deepEqual(browser.errors, []);
    }));

  it('passes the unit tests of its scripts', async () => {
    const said: string[] = [];
    const ended = screen().waitForEvent('console', {
      predicate: (message) => {
        said.push(message.text());
        return /Test suite succeeded|\[HOOT\] Failed/.test(message.text());
      },
      timeout: 120_000,
    });
    await screen().goto(`${odoo.url}/web/tests?headless&preset=desktop&timeout=15000&filter=smart_dairy`);
    const result = (await ended).text();
    assert.match(result, /Test suite succeeded/, said.join('\n'));
    assert.match(said.join('\n'), /@smart_dairy_iot" ended.*passed: 3/);
  });
});
