// The values of one device that REST brought, in two halves: so that one value that the database refuses costs only itself.
import type { Item } from './item.ts';
import type { Outcome } from '../sources/message.ts';

/**
 * Two halves of an item; undefined where it is to be taken or refused as a whole: a message of a device, whose values
 * belong together, a single value, and what is being replayed.
 */
export function halvesOf(item: Item): [Item, Item] | undefined {
  const { message, decoded } = item;
  if (message.decoded === undefined || message.deadLetterId !== undefined || decoded.kind !== 'data')
    return undefined;
  const { points } = decoded.data;
  if (points.length < 2) return undefined;
  const middle = Math.ceil(points.length / 2);
  const part = (from: number, to: number): Item => {
    const data = { ...decoded.data, points: points.slice(from, to) };
    const mine = { ...decoded, data };
    return { ...item, message: { ...message, decoded: mine }, decoded: mine };
  };
  return [part(0, middle), part(middle, points.length)];
}

/** What became of an item whose halves (of `counts` points) were written one by one. */
export function joinOutcomes(outcomes: readonly Outcome[], counts: readonly number[]): Outcome {
  const duplicates = new Set<number>();
  const conflicts = new Set<number>();
  const refused = new Map<number, string>();
  let points = 0;
  for (const [index, outcome] of outcomes.entries()) {
    const count = counts[index] ?? 0;
    if (outcome.kind === 'dead')
      for (let point = 0; point < count; point++) refused.set(points + point, outcome.reason);
    if (outcome.kind === 'stored') {
      for (const point of outcome.duplicates) duplicates.add(points + point);
      for (const point of outcome.conflicts ?? []) conflicts.add(points + point);
      for (const [point, reason] of outcome.refused ?? []) refused.set(points + point, reason);
    }
    points += count;
  }
  return { kind: 'stored', points, duplicates, ...(conflicts.size > 0 ? { conflicts } : {}), refused };
}
