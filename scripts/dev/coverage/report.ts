// What npm run coverage prints: a table by folder, the files below the bar, and the figures as one line of JSON. No I/O.
import { addUp, bar, percent, type FolderFigures, type Verdict } from './folders.ts';
import type { FileFigures } from './tally.ts';

/** Files of one language, under the name that the table gives it. */
export interface Language {
  name: string;
  files: readonly FileFigures[];
}

/** A table by folder, each language with its sum, then the files below the bar with the lines that never ran. */
export function tableOf(languages: readonly Language[]): string[] {
  const folders = languages.flatMap(({ name, files }) => [...addUp(files), ...addUp(files, () => name)]);
  const width = Math.max(...folders.map(({ folder }) => folder.length));
  const row = (name: string, ...cells: string[]): string =>
    [name.padEnd(width), ...cells.map((cell) => cell.padStart(8))].join(' ');
  return [
    row('folder', 'files', 'lines', 'branches'),
    ...folders.map((sum) => row(sum.folder, String(sum.files), share(sum.lines), share(sum.branches))),
    '',
    ...lowFiles(languages.flatMap(({ files }) => files)),
  ];
}

const share = (part: FolderFigures['lines']): string => `${percent(part).toFixed(1)} %`;

function lowFiles(files: readonly FileFigures[]): string[] {
  const low = files.filter(({ lines }) => percent(lines) < bar);
  if (low.length === 0) return [];
  const text = ({ file, lines, missed }: FileFigures): string => `  ${file} ${share(lines)}: ${missed}`;
  return [`files below ${bar} % of lines, and what never ran:`, ...low.map(text), ''];
}

/** Whether the bar was reached, in words. */
export function verdictOf({ unnamed, needless }: Verdict, page: string): string[] {
  return [
    ...unnamed.map((folder) => `below ${bar} % of lines, and ${page} gives no reason: ${folder}`),
    ...needless.map((folder) => `${page} gives a reason that is not needed any more: ${folder}`),
  ];
}

/** The last line. */
export function figuresLine(languages: readonly Language[], { below, unnamed }: Verdict): string {
  const figures = languages.map(({ name, files }) => {
    const [sum] = addUp(files, () => name);
    return [
      name.toLowerCase().replaceAll(' ', '_'),
      sum === undefined
        ? { files: 0 }
        : { files: sum.files, lines: percent(sum.lines), branches: percent(sum.branches) },
    ];
  });
  return JSON.stringify({ coverage: Object.fromEntries(figures) as unknown, bar, below, unnamed });
}
