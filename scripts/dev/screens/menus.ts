// The menus that a person has, and what is behind each of them.
import type { Page } from 'playwright-core';
import type { Visitor } from './visitor.ts';

/** A menu that opens something. */
export interface Menu {
  /** Of the record, such as `smart_dairy_iot.menu_iot_alert`. */
  xmlId: string;
  /** In the person's language, from the app down. */
  path: string;
  actionId: number;
}

interface MenuNode {
  id: number | 'root';
  name: string;
  children: number[];
  actionID: number | false;
  xmlid: string;
}

/** The menus of the product's two apps, each action once, in their order. */
export async function menusOf({ page }: Visitor): Promise<Menu[]> {
  const response = await page.request.get('/web/webclient/load_menus');
  const nodes = (await response.json()) as Record<string, MenuNode>;
  const menus: Menu[] = [];
  const walk = (id: number, above: readonly string[]): void => {
    const node = nodes[id];
    if (node === undefined) return;
    const path = [...above, node.name];
    // An app has the action of its first menu.
    if (node.actionID !== false && node.children.length === 0)
      menus.push({ xmlId: node.xmlid, path: path.join(' / '), actionId: node.actionID });
    for (const child of node.children) walk(child, path);
  };
  for (const id of nodes['root']?.children ?? [])
    if (/^smart_dairy_/.test(nodes[id]?.xmlid ?? '')) walk(id, []);
  return menus.filter(({ actionId }, i) => menus.findIndex((menu) => menu.actionId === actionId) === i);
}

const lookMs = 250;
const patienceMs = 20_000;

/** Waits until what a screen says has stayed the same for a while: it has been drawn with its data. */
export async function settled(page: Page): Promise<void> {
  const end = Date.now() + patienceMs;
  let before = '';
  for (let same = 0; same < 2 && Date.now() < end;) {
    await page.waitForTimeout(lookMs);
    const now = await page.locator('body').innerText();
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

/** Opens a menu's screen and waits until it is drawn. */
export async function openMenu({ page }: Visitor, { actionId, path }: Menu): Promise<void> {
  await page.goto(`/odoo/action-${actionId}`);
  await page.locator('.o_action_manager .o_action').first().waitFor();
  await settled(page);
  if (await page.locator('.o_error_dialog').isVisible()) throw new Error(`${path}: Odoo shows an error`);
}
