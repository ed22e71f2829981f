// Lines of RFID readers into tags. Pure. Formats: docs/gateways.md.
import { hexTag, tagProblem, type BitOrder } from '../../contract/animal-tag.ts';

export interface LineOptions {
  /** Takes country code 999. */
  allowTest: boolean;
  /** Finds the antenna at the beginning of a line, as its first group; what it matches is cut off. */
  antenna: RegExp | undefined;
  /** How the reader writes tags in hexadecimal; without it what reads either way is refused. */
  bitOrder?: BitOrder | undefined;
}

/** What a line says: a tag, that an animal was not read, or nothing usable with a reason. */
export type Read =
  | { kind: 'tag'; tag: string; antenna: string | undefined }
  | { kind: 'unread'; antenna: string | undefined }
  | { kind: 'other'; reason: string };

const noRead = /^(no[ _-]?read|nr|\?+|0{15}|0{16})$/i;
/** Country or manufacturer, and the national code. */
const byDigits = ([country = '', national = '']: readonly string[]) => digitsTag(country + national);
const formats: readonly [
  pattern: RegExp,
  read: (groups: readonly string[], bitOrder: BitOrder | undefined) => { tag: string } | { reason: string },
][] = [
  [/^LR /i, () => ({ reason: 'an industrial tag, not an animal' })],
  // LA 982 000001088420, and with a retry counter and a user field: LA 00000 0 982 000001088420
  [/^LA (?:\d{5} \d{1,2} )?(\d{3}) ?(\d{12})$/i, byDigits],
  // ISO 24631-6: retagging counter, user information, additional information and the data block flag, 7 digits, before the code.
  [/^A ?\d ?\d\d ?\d{3} ?\d ?(\d{3}) ?(\d{12})$/, byDigits],
  [/^(\d{3}) ?(\d{12})$/, byDigits],
  [/^([0-9A-F]{16})$/i, ([hex = ''], bitOrder) => hexTag(hex, bitOrder)],
];

function digitsTag(digits: string): { tag: string } | { reason: string } {
  const reason = tagProblem(digits);
  return reason === undefined ? { tag: digits } : { reason };
}

/** Reads one line, without its end. */
export function parseLine(line: string, { allowTest, antenna, bitOrder }: LineOptions): Read {
  // Some readers put STX in front of every line, some spaces.
  const whole = line.replaceAll(/[\u0000-\u001f]/g, '').trim();
  const prefix = antenna?.exec(whole);
  const place = prefix?.[1];
  const text = prefix == null ? whole : whole.slice(prefix[0].length).trim();
  if (noRead.test(text)) return { kind: 'unread', antenna: place };
  for (const [pattern, read] of formats) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const result = read(match.slice(1), bitOrder);
    if ('reason' in result) return { kind: 'other', reason: result.reason };
    if (result.tag.startsWith('999') && !allowTest)
      return { kind: 'other', reason: '999 is for tests; set allow_test to take it' };
    return { kind: 'tag', tag: result.tag, antenna: place };
  }
  return { kind: 'other', reason: `'${text.slice(0, 40)}' is no tag` };
}

const longestLine = 256;

/** Cuts a stream into lines at CR, LF or ETX; what never ends is thrown away. */
export function createLineCutter(onLine: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split(/[\r\n\u0003]+/);
    rest = lines.pop() ?? '';
    if (rest.length > longestLine) rest = '';
    for (const line of lines) if (line.trim() !== '' && line.length <= longestLine) onLine(line);
  };
}
