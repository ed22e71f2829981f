// How often each point of a source ran, added up over all processes that loaded it. No I/O.
import type { Points } from './points.ts';

/** As V8 tells it (NODE_V8_COVERAGE): an inner range overrides the outer one. */
export interface FunctionCoverage {
  ranges: readonly { startOffset: number; endOffset: number; count: number }[];
}

/** Sums in the order of the points. */
export interface Tally {
  points: Points;
  lines: number[];
  branches: number[];
}

/** What was covered of how much. */
export interface Part {
  covered: number;
  total: number;
}

/** The figures of one file; `file` is its path in the repository. */
export interface FileFigures {
  file: string;
  lines: Part;
  branches: Part;
  /** The lines that never ran, as `3, 7-9`. */
  missed: string;
}

/** A source that nobody has loaded yet. */
export const newTally = (points: Points): Tally => ({
  points,
  lines: points.lines.map(() => 0),
  branches: points.branches.map(() => 0),
});

/** Adds what one process ran of a source. */
export function addProcess(tally: Tally, functions: readonly FunctionCoverage[]): void {
  const { lines, branches } = tally.points;
  const counts = countsOf(functions);
  const at = (place: number): number => counts[place] ?? 0;
  lines.forEach(({ words }, index) => {
    tally.lines[index] = (tally.lines[index] ?? 0) + Math.max(...words.map(at));
  });
  branches.forEach((branch, index) => {
    const less = branch.less === undefined ? 0 : at(branch.less);
    tally.branches[index] = (tally.branches[index] ?? 0) + at(branch.at) - less;
  });
}

/** How often each place of the source ran. */
function countsOf(functions: readonly FunctionCoverage[]): Float64Array {
  const ranges = functions.flatMap((one) => one.ranges);
  // Outer ranges first, so that inner ones are painted over them.
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  const length = ranges.reduce((longest, { endOffset }) => Math.max(longest, endOffset), 0);
  const counts = new Float64Array(length);
  for (const { startOffset, endOffset, count } of ranges) counts.fill(count, startOffset, endOffset);
  return counts;
}

/** The figures of a file in the end. */
export function figuresOf(file: string, tally: Tally): FileFigures {
  const part = (counts: readonly number[]): Part => ({
    covered: counts.filter((count) => count > 0).length,
    total: counts.length,
  });
  return { file, lines: part(tally.lines), branches: part(tally.branches), missed: missedLines(tally) };
}

/** Neighbours are one span when no line with code between them ran. */
function missedLines({ points, lines }: Tally): string {
  const spans: [number, number][] = [];
  let isOpen = false;
  points.lines.forEach(({ line }, index) => {
    const isMissed = lines[index] === 0;
    const last = spans.at(-1);
    if (isMissed && isOpen && last !== undefined) last[1] = line;
    else if (isMissed) spans.push([line, line]);
    isOpen = isMissed;
  });
  return spans.map(([start, end]) => (start === end ? String(start) : `${start}-${end}`)).join(', ');
}
