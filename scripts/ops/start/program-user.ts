// Programs of a start by root run as users of their own, who may read this folder and write only theirs. They see it through a mount
// of their own, so that a folder of root (as /root is) need not be opened to anybody.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { repoDir } from '../stack/instance.ts';
import { checkReadable } from '../stack/readable.ts';
import type { Instance } from '../stack/types.ts';
import type { ProgramName } from './program-env.ts';

/**
 * Numbers without names: nobody can log in as them, and none can read another's environment. In the range of systemd's dynamic
 * users, which are taken for as long as a process runs.
 */
const uids: Readonly<Record<ProgramName, number>> = { connector: 65_101, gateway: 65_102, simulator: 65_103 };

/** How a program of ours is started, and where it may write. */
export interface ProgramPlace {
  /** In front of the program's own command. */
  prefix: string[];
  /** Node.js as the program sees it. */
  node: string;
  /** Folder that it may write, as the program sees it. */
  dataDir: string;
}

/** Some of what every program reads; whoever closed others has closed these. */
const read = [
  '.',
  'package.json',
  'connector/main.ts',
  'config',
  'node_modules',
  'node_modules/zod/package.json',
];

const setpriv = '/usr/bin/setpriv';

/** The program's folder; made when it is missing. */
export function programDir(instance: Instance, name: ProgramName): string {
  const dir = join(instance.dir, 'programs', name);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

/** Where a program runs, and as whom. */
export function placeOf(instance: Instance, name: ProgramName): ProgramPlace {
  const dataDir = programDir(instance, name);
  moveFormerFiles(instance, name, dataDir);
  const endsWithUs = isThere(setpriv) ? [setpriv, '--pdeathsig', 'TERM', '--'] : [];
  if (!hasOwnUsers()) return { prefix: endsWithUs, node: process.execPath, dataDir };
  checkReadable(read.map((path) => join(repoDir, path)));
  const uid = uids[name];
  giveAll(dataDir, uid);
  // What is mounted over must not hold this folder itself.
  const place = repoDir.startsWith('/mnt/') ? '/media' : '/mnt';
  const script = join(import.meta.dirname, 'as-user.sh');
  const groups = name === 'gateway' ? serialGroups() : '';
  const given = [repoDir, dataDir, String(uid), groups, place];
  return {
    prefix: ['unshare', '--mount', '--propagation', 'private', 'bash', script, ...given],
    node: process.execPath.startsWith(`${repoDir}/`)
      ? join(place, 'app', process.execPath.slice(repoDir.length))
      : process.execPath,
    dataDir: join(place, 'data'),
  };
}

/** True when we are root and may give programs users of their own: a container may lack the right to make namespaces. */
export const hasOwnUsers = (): boolean => process.getuid?.() === 0 && mayMount();

let canMount: boolean | undefined;

/** Root in a container may lack the right to make namespaces. */
const mayMount = (): boolean =>
  (canMount ??=
    isThere(setpriv) &&
    spawnSync('unshare', ['--mount', '--propagation', 'private', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
      .status === 0);

const isThere = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Where installations from before kept them. */
function moveFormerFiles(instance: Instance, name: ProgramName, dataDir: string): void {
  const former: Partial<Record<ProgramName, string[]>> = {
    gateway: ['gateway-spool.sqlite', 'gateway-spool.sqlite-wal'],
    connector: ['odoo-api-key'],
  };
  for (const file of former[name] ?? []) {
    const from = join(instance.dir, file);
    if (existsSync(from) && !existsSync(join(dataDir, file))) renameSync(from, join(dataDir, file));
  }
}

function giveAll(dir: string, uid: number): void {
  if (statSync(dir).uid !== uid) chownSync(dir, uid, uid);
  for (const file of readdirSync(dir)) chownSync(join(dir, file), uid, uid);
}

/** Serial ports belong to this group on Debian. */
function serialGroups(): string {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('dialout:'));
  return line?.split(':')[2] ?? '';
}
