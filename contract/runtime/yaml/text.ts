// From the bytes of a file to its text: UTF-8 and nothing else, and no character that looks like another one.

/** What is wrong at a place of the text. */
export interface Problem {
  offset: number;
  message: string;
}

/** The text of a file, or what is wrong with its bytes and where (line and column, from 1). */
export function decodeText(bytes: Buffer): string | { line: number; column: number; message: string } {
  const first = bytes.subarray(0, 2).toString('hex');
  if (first === 'fffe' || first === 'feff' || bytes.includes(0)) {
    return { line: 1, column: 1, message: 'this is UTF-16 or UTF-32 text; save the file as UTF-8' };
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ...firstBadByte(bytes), message: 'this is not UTF-8 (Latin-1?); save the file as UTF-8' };
  }
}

function firstBadByte(bytes: Buffer): { line: number; column: number } {
  let line = 1;
  for (let start = 0; ; line++) {
    const end = bytes.indexOf('\n', start);
    const text = bytes.subarray(start, end === -1 ? undefined : end).toString();
    if (text.includes('\uFFFD')) return { line, column: text.indexOf('\uFFFD') + 1 };
    if (end === -1) return { line, column: 1 };
    start = end + 1;
  }
}

/** Line and column, from 1, of an offset. */
export function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `${before.split('\n').length}:${offset - before.lastIndexOf('\n')}`;
}

/** White space that YAML takes for a letter. */
const foreignSpace = String.raw`[\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]`;
/** Nothing to see, and part of the word all the same. Not the joiners U+200C and U+200D: Bengali is written with them. */
const invisible = String.raw`[\u00AD\u200B\u2060\uFEFF]`;

/** Characters that no file should have anywhere: nobody sees them, and they change what is read. */
export function characterProblems(text: string): Problem[] {
  const found = (pattern: RegExp, message: (character: string) => string): Problem[] =>
    [...text.matchAll(pattern)].map((match) => ({
      offset: match.index + match[0].length - 1,
      message: message(codeOf(match[0].at(-1) ?? '')),
    }));
  return [
    ...found(
      new RegExp(`^[ \\t]*${foreignSpace}`, 'gmu'),
      (code) => `the line is indented with ${code}, which is no plain space; use spaces`,
    ),
    ...found(
      /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/gu,
      (code) => `control character ${code}`,
    ),
    ...found(/\r(?!\n)/gu, (code) => `the line ends with ${code} alone; save the file with Unix line ends`),
    ...found(/\uFFFD/gu, (code) => `${code}: an earlier conversion has lost the character that was here`),
  ];
}

/** What is wrong with a word that stands without quotes. */
export function wordProblem(word: string): string | undefined {
  const edge = new RegExp(`^${foreignSpace}|${foreignSpace}$|${invisible}`, 'u').exec(word);
  if (edge !== null) return `there is an invisible ${codeOf(edge[0])} here; remove it, or quote the text`;
  if (/^[“”„‟‘’‚‹›«»]/u.test(word)) return `typographic quotes are letters in YAML; use " or '`;
  return undefined;
}

const codeOf = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
