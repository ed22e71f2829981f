// Odoo's screens in a headless Chromium, and pictures of them for the docs.
import { chromium, type Page } from 'playwright-core';
import { ensureBrowser } from '../../scripts/ops/stack/browser/browser.ts';
import { openInstance } from '../../scripts/ops/stack/instance.ts';
import type { TestOdoo } from './stack.ts';

/** A browser in which somebody has logged in to a test's Odoo. */
export interface OdooBrowser {
  page: Page;
  /** Opens a path of Odoo's, such as `/odoo/apps`. */
  open: (path: string) => Promise<void>;
  /** Writes `docs/img/NAME.png`, 800 pixels high if nothing is said, when the environment has SCREENSHOTS=1; else nothing. */
  picture: (name: string, height?: number) => Promise<void>;
  /** What went wrong in the page's own scripts so far. */
  errors: string[];
  /** Runs a step; when it fails, the error names a picture of the screen, and the steps after it fail at once. */
  step: (work: () => Promise<void>) => Promise<void>;
  close: () => Promise<void>;
}

const patienceMs = 30_000;

/** Starts the browser (fetching it the first time) and logs in as the administrator. `close` it in `after`. */
export async function openOdoo(odoo: TestOdoo): Promise<OdooBrowser> {
  const { program, env } = await ensureBrowser(console.error);
  // It runs as nobody in a root of its own, where Chromium's own sandbox cannot be made.
  const browser = await chromium.launch({ executablePath: program, env, chromiumSandbox: false });
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Asia/Dhaka',
  });
  page.setDefaultTimeout(patienceMs);
  const errors: string[] = [];
  let isLost = false;
  page.on('pageerror', (error) => errors.push(error.message));

  /** Fails as soon as Odoo shows an error; otherwise never ends. */
  const trouble = async (): Promise<never> => {
    await page.locator('.o_error_dialog').waitFor({ timeout: 0 });
    throw new Error('Odoo shows an error, see its log beside the picture');
  };

  const open: OdooBrowser['open'] = async (path) => {
    await page.goto(odoo.url + path);
    await page.locator('.o_main_navbar').waitFor();
  };
  await page.goto(`${odoo.url}/web/login?db=${odoo.db}`);
  await page.getByLabel('Email').fill(odoo.login);
  await page.getByLabel('Password').fill(odoo.password);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.locator('.o_main_navbar').waitFor();

  return {
    page,
    open,
    errors,
    picture: async (name, height = 800) => {
      if (process.env['SCREENSHOTS'] !== '1') return;
      await page.setViewportSize({ width: 1280, height });
      await page.mouse.move(0, 0);
      await page.waitForTimeout(1_500);
      await page.screenshot({ path: `docs/img/${name}.png`, animations: 'disabled' });
    },
    step: async (work) => {
      if (isLost) throw new Error('a step before this one failed');
      try {
        await Promise.race([work(), trouble()]);
      } catch (error) {
        isLost = true;
        const path = `${openInstance('test').logDir}/browser.png`;
        await page.screenshot({ path }).catch(() => undefined);
        throw new Error(`see ${path}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    },
    close: () => browser.close(),
  };
}
