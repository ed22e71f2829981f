// pg_dump and pg_restore of the server's version: of the stack's private root, of the machine, or fetched from Debian.
import { execFile, spawn } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, globSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withClient } from '../stack/database.ts';
import { withLastWords } from '../stack/last-words.ts';
import { chrootAt } from '../stack/real/chroot.ts';
import { recipeDir, rootDir } from '../stack/real/root.ts';

type Tool = 'pg_dump' | 'pg_restore';

/** The version that client.sh and the private root bring. */
const broughtMajor = 17;
const recipe = join(import.meta.dirname, 'client.sh');

/** Program and arguments in front of the tool's own; the tool is not older than the server. */
async function commandOf(tool: Tool, url: string): Promise<[string, ...string[]]> {
  const root = join(rootDir(), 'fs');
  const inRoot = `/usr/lib/postgresql/${broughtMajor}/bin/${tool}`;
  if (process.getuid?.() === 0 && existsSync(join(root, inRoot)))
    return chrootAt(root).command('postgres', inRoot);
  const server = await serverMajor(url);
  switch (chooseClient(await ownMajor(tool), server)) {
    case 'own':
      return [tool];
    case 'brought':
      return bringClient(tool, server);
    case 'none':
      throw new Error(missing(tool, server));
  }
}

/** pg_dump refuses a server that is newer than itself: Debian 12 has 15. Versions are majors; -1 is none. Pure. */
export function chooseClient(own: number, server: number): 'own' | 'brought' | 'none' {
  if (own >= server) return 'own';
  return server <= broughtMajor ? 'brought' : 'none';
}

/** Of the server. One that cannot be asked is left to the tool, which says why. */
async function serverMajor(url: string): Promise<number> {
  const ask = withClient(url, async (query) => {
    const [row] = await query(`select current_setting('server_version_num')::int / 10000 as major`);
    return Number(row?.['major']);
  });
  return ask.catch(() => 0);
}

/** Of the machine's own tool; -1 when there is none. */
async function ownMajor(tool: Tool): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)(tool, ['--version']);
    return Number(/\) (\d+)/.exec(stdout)?.[1] ?? -1);
  } catch {
    return -1;
  }
}

/** Fetches the client where it is not there yet. Its own loader runs it: the machine's C library may be older. */
async function bringClient(tool: Tool, server: number): Promise<[string, ...string[]]> {
  const dir = recipeDir('postgres-client', recipe);
  if (!existsSync(dir)) {
    console.error(`this machine has no ${tool} of PostgreSQL ${server}: fetching one from Debian, once`);
    await promisify(execFile)('bash', [recipe, dir]).catch(() => {
      throw new Error(withLastWords(`${missing(tool, server)}. Fetching it failed`, `${dir}.log`));
    });
  }
  const [loader] = globSync('usr/lib*/{,*/}ld-linux*.so*', { cwd: join(dir, 'fs') });
  const libraries = globSync('usr/lib/*-linux-gnu*', { cwd: join(dir, 'fs') }).map((path) =>
    join(dir, 'fs', path),
  );
  if (loader === undefined) throw new Error(`${dir} is damaged: delete it, then run this again`);
  const program = join(dir, 'fs/usr/lib/postgresql', String(broughtMajor), 'bin', tool);
  return [join(dir, 'fs', loader), '--library-path', libraries.join(':'), program];
}

/** Where standard input comes from, or standard output goes to. */
type Stream = { from: string } | { to: string };

/** Runs a tool on a database. The password does not appear in the process list. Throws with the tool's messages. */
export async function runTool(tool: Tool, url: string, args: string[], stream: Stream): Promise<void> {
  const { username, password, hostname, port, pathname } = new URL(url);
  const [program, ...before] = await commandOf(tool, url);
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
    ended,
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

const missing = (tool: Tool, server: number): string =>
  `${tool} of PostgreSQL ${server} is missing: install postgresql-client-${server} or newer`;
