// Figures of folders, and the bar that each of them has to reach. No I/O.
import type { FileFigures, Part } from './tally.ts';

/** Share of a folder's lines that tests have to run, in percent. */
export const bar = 85;

export interface FolderFigures {
  folder: string;
  /** Those with any code. */
  files: number;
  lines: Part;
  branches: Part;
}

/** 100 when there is nothing to cover; rounded down, so that 84.99 is below 85. */
export const percent = ({ covered, total }: Part): number =>
  total === 0 ? 100 : Math.floor((covered / total) * 1_000) / 10;

/** A folder is a part of the house: `connector/rest`, `scripts/dev/bench`, `odoo-addon-bridge/smart_dairy_iot/models`. */
export function folderOf(file: string): string {
  const parts = file.split('/').slice(0, -1);
  const depth = ['scripts', 'odoo-addon-bridge'].includes(parts[0] ?? '') ? 3 : 2;
  return parts.slice(0, depth).join('/');
}

/** Adds the files up by `group`, in the order of their names. Files without code count nowhere. */
export function addUp(
  files: readonly FileFigures[],
  group: (file: string) => string = folderOf,
): FolderFigures[] {
  const folders = new Map<string, FolderFigures>();
  for (const { file, lines, branches } of files) {
    if (lines.total === 0) continue;
    const folder = group(file);
    const sum = folders.get(folder) ?? { folder, files: 0, lines: nothing(), branches: nothing() };
    sum.files += 1;
    add(sum.lines, lines);
    add(sum.branches, branches);
    folders.set(folder, sum);
  }
  return [...folders.values()].sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

const nothing = (): Part => ({ covered: 0, total: 0 });

function add(into: Part, more: Part): void {
  into.covered += more.covered;
  into.total += more.total;
}

/** Folders with a reason for being below the bar: rows of the page whose first cell is a folder in backticks. */
export function namedFolders(page: string): Map<string, string> {
  const rows = page.matchAll(/^\|\s*`([^`]+)`\s*\|\s*(\S.*?)\s*\|\s*$/gm);
  return new Map([...rows].map(([, folder = '', reason = '']) => [folder, reason]));
}

export interface Verdict {
  below: string[];
  /** Below the bar, and no reason is given. */
  unnamed: string[];
  /** A reason is given, but the folder reaches the bar or is no more. */
  needless: string[];
}

/** Who stands below the bar, and whether that is said. */
export function judge(folders: readonly FolderFigures[], named: ReadonlyMap<string, string>): Verdict {
  const below = folders.filter(({ lines }) => percent(lines) < bar).map(({ folder }) => folder);
  return {
    below,
    unnamed: below.filter((folder) => !named.has(folder)),
    needless: [...named.keys()].filter((folder) => !below.includes(folder)),
  };
}
