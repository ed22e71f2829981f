// pg_dump and pg_restore: those of the stack's private root where it is, else the machine's own.
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { join } from 'node:path';
import { chrootAt } from '../stack/real/chroot.ts';
import { rootDir } from '../stack/real/root.ts';

type Tool = 'pg_dump' | 'pg_restore';

/** Program and arguments in front of the tool's own. */
function commandOf(tool: Tool): [string, ...string[]] {
  const root = join(rootDir(), 'fs');
  const inRoot = `/usr/lib/postgresql/17/bin/${tool}`;
  if (process.getuid?.() !== 0 || !existsSync(join(root, inRoot))) return [tool];
  return chrootAt(root).command('postgres', inRoot);
}

/** Where standard input comes from, or standard output goes to. */
type Stream = { from: string } | { to: string };

/** Runs a tool on a database. The password does not appear in the process list. Throws with the tool's messages. */
export async function runTool(tool: Tool, url: string, args: string[], stream: Stream): Promise<void> {
  const { username, password, hostname, port, pathname } = new URL(url);
  const [program, ...before] = commandOf(tool);
  const child = spawn(program, [...before, `--dbname=${pathname.slice(1)}`, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PGHOST: hostname,
      PGPORT: port === '' ? '5432' : port,
      PGUSER: decodeURIComponent(username),
      PGPASSWORD: decodeURIComponent(password),
    },
  });
  const ended = new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  const moving =
    'from' in stream
      ? pipeline(createReadStream(stream.from), child.stdin)
      : pipeline(child.stdout, createWriteStream(stream.to, { mode: 0o600 }));
  if ('to' in stream) child.stdin.end();
  const [code, messages, moved] = await Promise.all([
    ended.catch((error: unknown) => {
      throw missing(tool, error);
    }),
    text(child.stderr),
    // A tool that ends early closes its end; its own message says why.
    moving.then(
      () => undefined,
      (error: unknown) => error,
    ),
  ]);
  if (code !== 0) throw new Error(`${tool} ended with ${String(code)}:\n${messages.trim()}`);
  if (moved !== undefined)
    throw new Error(`${tool}: the file could not be read or written`, { cause: moved });
}

function missing(tool: Tool, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  return new Error(
    `${tool} is missing: install the PostgreSQL client programs (Debian: apt install postgresql-client), not older than the server`,
  );
}
