// What can be said of a screen without looking at it: which view it is, what does not fit, and what it says.
import type { Page } from 'playwright-core';

/** What there is to see. */
export interface Look {
  /** list, kanban, form, graph, pivot, calendar, activity. */
  view: string;
  /** Pixels that the screen, or a list or board in it, is wider than what shows it. */
  cutOff: number;
  /** Texts on it, with placeholders and titles. */
  texts: string[];
}

/** Looks at the screen that is open. */
export const lookAt = (page: Page): Promise<Look> => page.evaluate<Look>(inPage);

// Text, because this program knows no types of a page.
const inPage = String.raw`(() => {
  const root = document.querySelector('.o_web_client') ?? document.body;
  const texts = new Set();
  const add = (text) => {
    const said = (text ?? '').replace(/\s+/g, ' ').trim();
    if (said !== '') texts.add(said);
  };
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    // What people have written to each other is theirs.
    if (!walker.currentNode.parentElement.closest('script, style, .o-mail-Chatter')) add(walker.currentNode.textContent);
  }
  for (const element of root.querySelectorAll('[placeholder], [title]'))
    for (const name of ['placeholder', 'title']) add(element.getAttribute(name));
  const shown = document.querySelector('.o_action_manager .o_view_controller');
  const wide = [...document.querySelectorAll('.o_list_renderer, .o_form_sheet, .o_action_manager')].map(
    (element) => element.scrollWidth - element.clientWidth,
  );
  const page = document.documentElement;
  return {
    view: /o_(list|kanban|form|graph|pivot|calendar|activity)_view/.exec(shown?.className ?? '')?.[1] ?? '',
    cutOff: Math.max(0, page.scrollWidth - page.clientWidth, ...wide),
    texts: [...texts],
  };
})()`;
