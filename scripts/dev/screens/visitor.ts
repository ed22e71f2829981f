// Odoo's screens as somebody with a role, a language and a width sees them, in a headless Chromium.
import { chromium, type Browser, type Page } from 'playwright-core';
import { ensureBrowser } from '../../ops/stack/browser/browser.ts';
import type { Report } from '../../ops/stack/types.ts';

/** Where an Odoo is, and how somebody logs in. */
export interface Login {
  url: string;
  db: string;
  login: string;
  password: string;
}

/** A page on which somebody is logged in. */
export interface Visitor {
  page: Page;
  /** Calls a method of a model as this person. */
  call: (
    model: string,
    method: string,
    args: readonly unknown[],
    kwargs?: Record<string, unknown>,
  ) => Promise<unknown>;
  close: () => Promise<void>;
}

/** A phone is narrower than this; Odoo shows cards in place of lists there. */
const phoneWidth = 768;
const patienceMs = 30_000;

/** Starts the browser, fetching it the first time. */
export async function launchBrowser(report: Report): Promise<Browser> {
  const { program, env } = await ensureBrowser(report);
  return chromium.launch({ executablePath: program, env, chromiumSandbox: false });
}

/** Logs somebody in, on a screen of this width. */
export async function visit(
  browser: Browser,
  { url, db, login, password }: Login,
  width: number,
): Promise<Visitor> {
  const isPhone = width < phoneWidth;
  const context = await browser.newContext({
    viewport: { width, height: isPhone ? 844 : 900 },
    hasTouch: isPhone,
    locale: 'en-GB',
    timezoneId: 'Asia/Dhaka',
    baseURL: url,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  await page.goto(`${url}/web/login?db=${db}`);
  await page.locator('input[name="login"]').fill(login);
  await page.locator('input[name="password"]').fill(password);
  await page.locator('.oe_login_form button[type="submit"]').click();
  await page.locator('.o_main_navbar').waitFor();
  const call: Visitor['call'] = async (model, method, args, kwargs = {}) => {
    const response = await page.request.post(`/web/dataset/call_kw/${model}/${method}`, {
      data: { jsonrpc: '2.0', params: { model, method, args, kwargs } },
    });
    const answer = (await response.json()) as { result?: unknown; error?: { data?: { message?: string } } };
    if (answer.error !== undefined)
      throw new Error(`${model}.${method}: ${answer.error.data?.message ?? JSON.stringify(answer.error)}`);
    return answer.result;
  };
  return { page, call, close: () => context.close() };
}
