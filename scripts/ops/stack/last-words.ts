// What a program said last in its log, for the screen: nobody should have to open a file to read one sentence.
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { messageOf } from '../../../contract/errors.ts';

const tailBytes = 64 * 1024;
const longestWords = 1_500;

/** Its last error since byte `from` of the log, else its last line; empty when it said nothing. */
export const lastWords = (logFile: string, from = 0): string => wordsIn(tail(logFile, from));

/** What a program that was run to its end and failed said last: execFile's own message has the whole command and output. */
export function failureOf(program: string, thrown: unknown): Error {
  const { stderr, code } = thrown as { stderr?: string; code?: unknown };
  const words = wordsIn(stderr ?? '');
  const silent = typeof code === 'number' ? `exit code ${code}` : messageOf(thrown);
  const reason = words === '' ? silent : words;
  return new Error(`${program} failed: ${reason}`, { cause: thrown });
}

function wordsIn(output: string): string {
  const lines = output
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line) && !/^Node\.js v/.test(line));
  const heard = lines.map(understand);
  const words = heard.findLast(({ isError }) => isError)?.text ?? heard.at(-1)?.text ?? '';
  return words.slice(0, longestWords);
}

/** Size of the log now: what comes after it belongs to a program that starts now. */
export const logEnd = (logFile: string): number => statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;

/** `text`, what the program said last, and where the rest stands. */
export function withLastWords(text: string, logFile: string, from = 0): string {
  const words = lastWords(logFile, from).replaceAll('\n', '\n  ');
  return `${text}${words === '' ? '' : `:\n  ${words}`}\n  log: ${logFile}`;
}

function tail(logFile: string, from: number): string {
  const size = logEnd(logFile);
  const start = Math.max(from > size ? 0 : from, size - tailBytes);
  if (size === 0) return '';
  const buffer = Buffer.alloc(size - start);
  const file = openSync(logFile, 'r');
  try {
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, start));
  } finally {
    closeSync(file);
  }
}

/** Pino's level of `error`. */
const errorLevel = 50;

/** A line of JSON in words; any other line as it is. */
function understand(line: string): { text: string; isError: boolean } {
  if (line.startsWith('{')) {
    try {
      const { level, msg, error, detail } = JSON.parse(line) as Record<string, unknown>;
      const parts = [msg, error, detail].filter((part) => typeof part === 'string' && part !== '');
      if (parts.length > 0) return { text: parts.join(': '), isError: Number(level) >= errorLevel };
    } catch {
      // Half a line, or not ours.
    }
  }
  return { text: line.trimEnd(), isError: /^(?:\S.*)?(error|fatal|panic)\b/i.test(line) };
}
