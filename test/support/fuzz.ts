// Random and mutated inputs for decoders. FUZZ_RUNS is how many each decoder gets; `npm run fuzz` is the long form.
import fc from 'fast-check';
import { createRandom, type Random } from '../../scripts/dev/simulator/random.ts';

/** Inputs a decoder gets. */
export const fuzzRuns = Number(process.env['FUZZ_RUNS'] ?? 10_000);
const perProperty = 100;

/** Gives `check` inputs until there were `runs`; the first that it throws for is named, together with fast-check's seed. */
export async function fuzz<Input>(
  make: (random: Random) => Input,
  check: (input: Input) => void | Promise<void>,
  runs = fuzzRuns,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const random = createRandom(seed);
      for (let n = 0; n < perProperty; n++) {
        const input = make(random);
        try {
          const checked = check(input);
          if (checked !== undefined) await checked;
        } catch (cause) {
          throw new Error(`input ${show(input)}: ${String(cause)}`, { cause });
        }
      }
    }),
    // A smaller seed is no simpler input.
    { numRuns: Math.ceil(runs / perProperty), endOnFailure: true },
  );
}

function show(input: unknown): string {
  return JSON.stringify(input, (_key, value: unknown) =>
    ArrayBuffer.isView(value) ? Buffer.from(value as Uint8Array).toString('hex') : value,
  ).slice(0, 2000);
}

/** A whole number below `limit`. */
export const below = (random: Random, limit: number) => Math.floor(random() * limit);

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  if (items.length === 0) throw new Error('nothing to pick from');
  return items[below(random, items.length)] as Item;
}

/** Three in ten are random bytes; the others are samples with up to four changes, or none. */
export function anyBytes(random: Random, samples: readonly Uint8Array[], longest = 64): Buffer {
  if (samples.length === 0 || random() < 0.3) return randomBytes(random, below(random, longest + 1));
  let bytes: Buffer = Buffer.from(pick(random, samples));
  for (let changes = below(random, 5); changes > 0; changes--) bytes = change(random, bytes, samples);
  return bytes;
}

function randomBytes(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = below(random, 256);
  return bytes;
}

/** Where decoders err: ends of ranges, flags, "no value". */
const edges = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];

function change(random: Random, bytes: Buffer, samples: readonly Uint8Array[]): Buffer {
  const at = below(random, bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + below(random, 4));
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(end)];
  switch (below(random, 7)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << below(random, 8));
      return copy;
    }
    case 1:
      return Buffer.concat([head, Buffer.alloc(end - at, pick(random, edges)), tail]);
    case 2:
      return Buffer.concat([head, randomBytes(random, 1 + below(random, 4)), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([head, tail]);
    case 4:
      return Buffer.from(head);
    case 5:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    default: {
      const other = pick(random, samples);
      return Buffer.concat([head, other.subarray(below(random, other.length + 1))]);
    }
  }
}

const strange: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1.5, 1e300, -1e300, 1.79e308, 5e-324, 2 ** 53, 253_402_300_800_000],
  ...['', ' ', '0', '-1', '1e999', 'NaN', 'a\u0000', '\ud800', '\u202e', 'constructor', '__proto__'],
  ...['2026-02-30T00:00:00Z', '9999-12-31T23:59:59Z', '0000-00-00', '050000000000017', 'x'.repeat(300)],
  ...[[], {}, [[]], [1, 2], { length: 1 }, { toString: 1 }, { length: { toString: 1 } }, { v: 1 }],
];

/** A sample with up to four parts replaced, left out, doubled or nested; or any strange value. */
export function anyValue(random: Random, samples: readonly unknown[]): unknown {
  if (samples.length === 0 || random() < 0.1) return pick(random, strange);
  const root = { value: structuredClone(pick(random, samples)) };
  for (let changes = below(random, 5); changes > 0; changes--) changeValue(random, root, samples);
  return root.value;
}

type Box = Record<string, unknown>;

function changeValue(random: Random, root: Box, samples: readonly unknown[]): void {
  let [box, key] = [root, 'value'];
  for (let depth = 0; depth < 8; depth++) {
    const inner: unknown = box[key];
    if (typeof inner !== 'object' || inner === null || (depth > 0 && random() < 0.3)) break;
    const keys = Object.keys(inner);
    if (keys.length === 0) break;
    [box, key] = [inner as Box, pick(random, keys)];
  }
  const kind = below(random, 6);
  const inner = box[key];
  if (kind === 0 && box !== root) Reflect.deleteProperty(box, key);
  else if (kind === 1) box[key] = [box[key], box[key]];
  else if (kind === 2 && box !== root && !Array.isArray(box)) box[pick(random, [`${key}x`, ''])] = box[key];
  else if (kind === 3) box[key] = structuredClone(pick(random, samples));
  else if (kind === 4 && typeof inner === 'number') box[key] = -inner * pick(random, [1, 1e3, 1e9]);
  else box[key] = structuredClone(pick(random, strange));
}

/** A JSON document as bytes: changed in its values, or in its text. */
export function anyJson(random: Random, samples: readonly unknown[]): Buffer {
  const text = Buffer.from(JSON.stringify(anyValue(random, samples)));
  return random() < 0.3 ? anyBytes(random, [text], 200) : text;
}
