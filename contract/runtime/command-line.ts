// How every command answers a person: --help with exit 0, a mistake in the call with words, a near match and exit 2, a failure
// with its message and exit 1. Never a stack trace.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { messageOf } from '../errors.ts';
import { nearMatch } from '../near-match.ts';

/** The command was called wrongly. */
export class UsageError extends Error {}

/** Runs a command; a number that `main` hands back is the exit code. A process that goes on is not ended. */
export async function runCommand(
  usage: string,
  main: (args: string[]) => unknown,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  surviveOutput();
  if (wantsHelp(args)) return void process.stdout.write(`${usage}\n`);
  try {
    const code = await main([...args]);
    if (typeof code === 'number') process.exitCode = code;
  } catch (error) {
    const isUsage = error instanceof UsageError;
    process.stderr.write(`${isUsage ? `${error.message}\n\n${usage}` : messageOf(error)}\n`);
    process.exitCode = isUsage ? 2 : 1;
  }
}

/** Output into a file on a full disk is lost, and goes on when there is room; who closes the pipe has seen enough. */
function surviveOutput(): void {
  for (const out of [process.stdout, process.stderr])
    out.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE') process.exit();
    });
}

/** True for --help, -h, and a single `help`. */
function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  return own.includes('--help') || own.includes('-h') || (args.length === 1 && args[0] === 'help');
}

/** Options and other words of a command line. Throws UsageError with the nearest option that there is. */
export function readArgs<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(explain(messageOf(error), Object.keys(options)), { cause: error });
  }
}

/** Node's words, without its advice to programmers. */
function explain(message: string, options: readonly string[]): string {
  const [, unknown] = /^Unknown option '(-[^']*)'/.exec(message) ?? [];
  if (unknown === undefined) return message.split('\n')[0] ?? message;
  return `unknown option ${unknown}${suggest(
    unknown,
    options.map((name) => `--${name}`),
  )}`;
}

/** `word` if it is one of `known`. Throws UsageError with a near match. `what` is, for example, 'command'. */
export function oneOf<T extends string>(what: string, word: string | undefined, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === word);
  if (found !== undefined) return found;
  if (word === undefined) throw new UsageError(`which ${what}? One of ${known.join(', ')}`);
  throw new UsageError(`unknown ${what} '${word}'${suggest(word, known) || `; known: ${known.join(', ')}`}`);
}

/** A whole number from `min` to `max`. Throws UsageError. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new UsageError(`${option}: a whole number from ${min} to ${max} expected, found '${text}'`);
  return value;
}

/** Throws UsageError when there are more words than `most`. */
export function atMost(most: number, words: readonly string[]): void {
  const extra = words[most];
  if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}'`);
}

function suggest(word: string, known: readonly string[]): string {
  const near = nearMatch(word, known);
  return near === undefined ? '' : `; did you mean '${near}'?`;
}
