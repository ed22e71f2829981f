// Raw registers to values: types, word orders, sentinels, scale, canonical units. Pure.
import { quality, type Envelope } from '../../contract/envelope.ts';
import { toCanonical } from '../../contract/units.ts';
import { tagProblem } from '../../contract/animal-tag.ts';
import type { ModbusMap, RegisterDefinition } from '../../contract/profile/modbus.ts';
import { fixedWidths, registerWidth, type Block } from './plan.ts';

type WordOrder = ModbusMap['word_order'];
type Value = number | string | boolean;

/** Scaled values by register name; a register without a value (sentinel, NaN, bad BCD) is absent. */
export type Values = ReadonlyMap<string, Value>;

/** Decodes what the blocks of a plan returned: one array of 16-bit words (or 0/1 bits) per block, in the same order. */
export function decodeBlocks(
  map: ModbusMap,
  blocks: readonly Block[],
  data: readonly (readonly number[])[],
): Values {
  const values = new Map<string, Value>();
  blocks.forEach((block, index) => {
    for (const { definition, offset } of block.registers) {
      const words = data[index]?.slice(offset, offset + registerWidth(definition)) ?? [];
      const value = decodeRegister(definition, words, definition.word_order ?? map.word_order);
      if (value !== undefined) values.set(definition.name, value);
    }
  });
  return values;
}

/** One register's value after scale and offset; undefined when it holds none. */
export function decodeRegister(
  definition: RegisterDefinition,
  words: readonly number[],
  order: WordOrder,
): Value | undefined {
  if (words.length < registerWidth(definition)) return undefined;
  if (definition.type === 'bool') return words[0] !== 0;
  if (definition.type === 'string') return decodeText(words, order);
  const raw = decodeNumber(definition.type, orderedBytes(words, order));
  if (raw === undefined || !Number.isFinite(raw)) return undefined;
  // A manual may give the sentinel of a signed register in its unsigned form: 0x8000 for an int16.
  const unsigned = raw < 0 ? raw + 2 ** (16 * words.length) : raw;
  if (definition.sentinels.includes(raw) || definition.sentinels.includes(unsigned)) return undefined;
  const { bits } = definition;
  const part = bits === undefined ? raw : Math.floor(raw / 2 ** bits.from) % 2 ** bits.count;
  // A huge float overflows its scale, or when it is rounded: that is no value either.
  const value = withoutFloatNoise(part * definition.scale + definition.offset);
  return Number.isFinite(value) ? value : undefined;
}

/** Which values are worth publishing: all, those that belong to a milking, or those of the machine. */
export type PointScope = 'all' | 'milking' | 'machine';

/** The metrics among the values, in the catalogue's units. */
export function toPoints(
  map: ModbusMap,
  values: Values,
  { kgPerLitre, scope }: { kgPerLitre: number; scope: PointScope },
): Envelope['points'] {
  return map.registers.flatMap((register) => {
    const value = values.get(register.name);
    if (register.metric === undefined || value === undefined || typeof value === 'string') return [];
    if (scope !== 'all' && register.milking !== (scope === 'milking')) return [];
    const v = withoutFloatNoise(toCanonical(Number(value), register.unit ?? '', kgPerLitre));
    if (!Number.isFinite(v)) return [];
    const { min = -Infinity, max = Infinity } = register;
    return [{ m: register.metric, v, ...(v < min || v > max ? { q: quality.outOfRange } : {}) }];
  });
}

/** The animal's tag in a string or uint64 register; undefined when none was read. */
export function toRfid(value: Value | undefined): string | undefined {
  const digits = typeof value === 'number' ? value.toFixed(0).padStart(15, '0') : value;
  return typeof digits === 'string' && tagProblem(digits) === undefined ? digits : undefined;
}

/**
 * Words as big-endian bytes. The letters name the bytes of a 32-bit value as they arrive; for longer values the same
 * rule goes on (CDAB: words reversed, BADC: bytes swapped in each word, DCBA: both). A 16-bit value is swapped by BADC and DCBA.
 */
function orderedBytes(words: readonly number[], order: WordOrder): DataView {
  const view = new DataView(new ArrayBuffer(words.length * 2));
  const reversed = order === 'CDAB' || order === 'DCBA';
  words.forEach((word, index) => {
    view.setUint16((reversed ? words.length - 1 - index : index) * 2, word, swapsBytes(order));
  });
  return view;
}

/** The other way: big-endian bytes to words as the device wants them. */
function orderedWords(view: DataView, order: WordOrder): number[] {
  const words = Array.from({ length: view.byteLength / 2 }, (_, index) =>
    view.getUint16(index * 2, swapsBytes(order)),
  );
  return order === 'CDAB' || order === 'DCBA' ? words.reverse() : words;
}

/**
 * The words (or the 0/1 of a coil) that make a register show `value`; a string says why there are none. A value between
 * two steps of an integer register goes to the nearer one.
 */
export function encodeRegister(
  definition: RegisterDefinition,
  value: number | boolean,
  order: WordOrder,
): number[] | string {
  if (definition.type === 'bool') return [Number(value) === 0 ? 0 : 1];
  if (definition.type === 'string' || definition.bits !== undefined)
    return 'bits and strings cannot be written';
  const raw = (Number(value) - definition.offset) / definition.scale;
  const { type } = definition;
  const view = new DataView(new ArrayBuffer(2 * fixedWidths[type]));
  if (type === 'float32') view.setFloat32(0, raw);
  else if (type === 'float64') view.setFloat64(0, raw);
  else {
    const whole = Math.round(raw);
    const [low, high] = integerRange(type);
    if (!(whole >= low && whole <= high)) return `${value} does not fit into the register`;
    const digits = type.startsWith('bcd') ? BigInt(`0x${whole}`) : BigInt(whole);
    if (view.byteLength === 2) view.setUint16(0, Number(digits & 0xffffn));
    else if (view.byteLength === 4) view.setUint32(0, Number(digits & 0xffff_ffffn));
    else view.setBigUint64(0, digits & 0xffff_ffff_ffff_ffffn);
  }
  return orderedWords(view, order);
}

function integerRange(type: Exclude<RegisterDefinition['type'], 'bool' | 'string' | 'float32' | 'float64'>) {
  if (type === 'bcd16') return [0, 9999] as const;
  if (type === 'bcd32') return [0, 99_999_999] as const;
  const bits = Number(type.replace(/\D+/, ''));
  return type.startsWith('u')
    ? ([0, 2 ** bits - 1] as const)
    : ([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] as const);
}

const swapsBytes = (order: WordOrder) => order === 'BADC' || order === 'DCBA';

/** Text keeps the order of its words; only the bytes in a word may be swapped. Ends at the first NUL. */
function decodeText(words: readonly number[], order: WordOrder): string {
  const bytes = words.flatMap((word) =>
    swapsBytes(order) ? [word & 0xff, word >> 8] : [word >> 8, word & 0xff],
  );
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.slice(0, end))).trim();
}

function decodeNumber(type: Exclude<RegisterDefinition['type'], 'bool' | 'string'>, view: DataView) {
  switch (type) {
    case 'uint16':
      return view.getUint16(0);
    case 'int16':
      return view.getInt16(0);
    case 'uint32':
      return view.getUint32(0);
    case 'int32':
      return view.getInt32(0);
    case 'float32':
      return view.getFloat32(0);
    case 'uint64':
      return Number(view.getBigUint64(0));
    case 'int64':
      return Number(view.getBigInt64(0));
    case 'float64':
      return view.getFloat64(0);
    case 'bcd16':
      return decodeBcd(view.getUint16(0), 4);
    case 'bcd32':
      return decodeBcd(view.getUint32(0), 8);
  }
}

/** Binary-coded decimals; undefined when a nibble is not a digit. */
function decodeBcd(raw: number, digits: number): number | undefined {
  const text = raw.toString(16).padStart(digits, '0');
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** 1234 × 0.01 is 12.34, not 12.340000000000002. */
function withoutFloatNoise(value: number): number {
  // By text it is a tenth of a gateway's work, and most registers hold whole numbers.
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value : Number(value.toPrecision(15));
}
