// Lines of RFID readers into tags. Pure. Formats: docs/gateways.md.
import { fromHex, toTag } from './tag.ts';

export interface LineOptions {
  /** Takes country code 999. */
  allowTest: boolean;
  /** Finds the antenna at the beginning of a line, as its first group; what it matches is cut off. */
  antenna: RegExp | undefined;
}

/** What a line says: a tag, that an animal was not read, or nothing usable with a reason. */
export type Read =
  | { kind: 'tag'; tag: string; antenna: string | undefined }
  | { kind: 'unread'; antenna: string | undefined }
  | { kind: 'other'; reason: string };

const noRead = /^(no[ _-]?read|nr|\?+|0{15}|0{16})$/i;
const formats: readonly [
  pattern: RegExp,
  read: (groups: readonly string[], allowTest: boolean) => { tag: string } | { reason: string },
][] = [
  [/^LR /i, () => ({ reason: 'an industrial tag, not an animal' })],
  // LA 982 000001088420, and with a retry counter and a user field: LA 00000 0 982 000001088420
  [/^LA (?:\d{5} \d{1,2} )?(\d{3}) ?(\d{12})$/i, byDigits],
  [/^(\d{3}) ?(\d{12})$/, byDigits],
  [/^([0-9A-F]{16})$/i, ([hex = ''], allowTest) => fromHex(hex, allowTest)],
];

function byDigits([country, national]: readonly string[], allowTest: boolean) {
  return toTag(Number(country), Number(national), allowTest);
}

/** Reads one line, without its end. */
export function parseLine(line: string, { allowTest, antenna }: LineOptions): Read {
  // Some readers put STX in front of every line, some spaces.
  const whole = line.replaceAll(/[\u0000-\u001f]/g, '').trim();
  const prefix = antenna?.exec(whole);
  const place = prefix?.[1];
  const text = prefix == null ? whole : whole.slice(prefix[0].length).trim();
  if (noRead.test(text)) return { kind: 'unread', antenna: place };
  for (const [pattern, read] of formats) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const result = read(match.slice(1), allowTest);
    return 'tag' in result
      ? { kind: 'tag', tag: result.tag, antenna: place }
      : { kind: 'other', reason: result.reason };
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
