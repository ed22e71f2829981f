// Messages start, reading and end without an id: which of them are one milking, by their times alone.
import { longestMilkingMs } from './link.ts';
import { distinct, type Statement } from './evidence.ts';

/** Drops after the end, and before a start that was told late, are of that milking. */
const dripMs = 10_000;

/** A milking with an id, which messages without one may belong to. */
export interface Span<T> {
  owner: T;
  first: number;
  last: number;
  end: number | null;
}

/** A milking's messages; without `owner` nothing but them is known of it. */
export interface Run<T> {
  owner: T | undefined;
  statements: Statement[];
}

/** A milking while the messages are read in the order of their times. `tail`: what came after its end. */
interface Open<T> extends Run<T> {
  first: number;
  last: number;
  started: boolean;
  end: number | null;
  tail: Statement[];
}

/** Divides a device's messages into milkings. */
export function divide<T>(statements: readonly Statement[], spans: readonly Span<T>[]): Run<T>[] {
  const runs: Run<T>[] = [];
  let open: Open<T> | undefined;
  const close = () => {
    if (open !== undefined) runs.push(...settleTail(open));
    open = undefined;
  };
  const begin = (at: number, span?: Span<T>): Open<T> => {
    close();
    const started = span !== undefined;
    const last = span?.last ?? at;
    return (open = { owner: span?.owner, statements: [], first: at, last, started, end: null, tail: [] });
  };
  const byMoment = Map.groupBy(distinct(statements), ({ at }) => at);
  const moments = new Set([...byMoment.keys(), ...spans.flatMap(({ first, end }) => [first, end ?? first])]);
  for (const at of [...moments].sort((left, right) => left - right)) {
    for (const span of spans) if (span.first === at) begin(at, span);
    if (open !== undefined && at - open.last > longestMilkingMs) close();
    const said = byMoment.get(at) ?? [];
    const starts = said.filter(({ event }) => event === 'start');
    const others = said.filter(({ event }) => event !== 'start');
    // Where clocks tell seconds only, the next milking may start when the last one ends.
    if (open === undefined || open.end !== null) {
      if (starts.length > 0 || (open === undefined && others.length > 0)) begin(at);
      if (open !== undefined) take(open, at, [...starts, ...others]);
    } else if (starts.length > 0 && isItsStart(open, at)) {
      take(open, at, [...starts, ...others]);
    } else {
      take(open, at, others);
      if (starts.length > 0) take(begin(at), at, starts);
    }
    const owner: T | undefined = open?.owner;
    const end = owner === undefined ? null : (spans.find((span) => span.owner === owner)?.end ?? null);
    if (open !== undefined && end !== null && at >= end) open.end ??= end;
  }
  close();
  return runs;
}

/** A start at the first moment of a milking repeats it, and one shortly after the first drops explains them. */
function isItsStart<T>(open: Open<T>, at: number): boolean {
  if (open.started) return at === open.first && open.owner === undefined;
  return at - open.first <= dripMs;
}

function take<T>(open: Open<T>, at: number, statements: readonly Statement[]): void {
  if (statements.length === 0) return;
  if (open.end !== null) {
    open.tail.push(...statements);
  } else {
    open.statements.push(...statements);
    if (statements.some(({ event }) => event === 'start')) open.started = true;
    if (statements.some(({ event }) => event === 'end')) open.end = at;
  }
  open.last = Math.max(open.last, at);
}

/** What came after the end without a start: drops, or a milking whose start was lost. */
function settleTail<T>({ owner, statements, end, tail }: Open<T>): Run<T>[] {
  const last = tail.at(-1);
  if (last === undefined || end === null) return [{ owner, statements }];
  if (last.at - end <= dripMs) return [{ owner, statements: [...statements, ...tail] }];
  return [{ owner, statements }, ...divide<T>(tail, [])];
}
