// The inside of the private root as one instance sees it: mounts, and programs run in it.
// Only called inside the daemon's own mount namespace, so nothing of this reaches the machine.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { failureOf } from '../last-words.ts';

const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

export interface Chroot {
  root: string;
  /** Command line that runs a program in the root as one of its users; the process keeps its pid. */
  command: (user: string, program: string, ...args: string[]) => [string, ...string[]];
  /** Runs a program to its end and returns its standard output. Throws with its messages. */
  run: (user: string, command: string[], options?: RunOptions) => Promise<string>;
  /** Gives a file, or a folder (made if missing) with all in it, to a user of the root. */
  own: (path: string, user: string) => void;
}

interface RunOptions {
  env?: Record<string, string>;
  input?: string;
}

/** Mounts the root read-only, with small private /dev, /tmp and /run, and `binds` (place in the root → host folder). */
export function enterRoot(
  root: string,
  binds: Record<string, string>,
  readOnlyBinds: Record<string, string>,
): Chroot {
  const mount = (...args: string[]): unknown => execFileSync('mount', args);
  mount('--bind', root, root);
  mount('-o', 'remount,bind,ro', root);
  mount('-t', 'proc', 'proc', join(root, 'proc'));
  mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', join(root, 'dev'));
  for (const device of devices) {
    writeFileSync(join(root, 'dev', device), '');
    mount('--bind', `/dev/${device}`, join(root, 'dev', device));
  }
  symlinkSync('/proc/self/fd', join(root, 'dev/fd'));
  mkdirSync(join(root, 'dev/shm'));
  mount('-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', join(root, 'dev/shm'));
  for (const [dir, mode] of [
    ['tmp', '1777'],
    ['var/tmp', '1777'],
    ['run', '755'],
  ] as const) {
    mount('-t', 'tmpfs', '-o', `mode=${mode}`, 'tmpfs', join(root, dir));
  }
  for (const [place, dir] of Object.entries(binds)) mount('--bind', dir, join(root, place));
  for (const [place, dir] of Object.entries(readOnlyBinds)) {
    mount('--bind', dir, join(root, place));
    mount('-o', 'remount,bind,ro', join(root, place));
  }
  return chrootAt(root);
}

/** The root as such, without mounts: its users and how to call its programs. */
export function chrootAt(root: string): Chroot {
  const users = readUsers(join(root, 'etc/passwd'));
  const command: Chroot['command'] = (user, program, ...args) => [
    'chroot',
    `--userspec=${user}:${user}`,
    root,
    program,
    ...args,
  ];
  return {
    root,
    command,
    run: async (user, [program = '', ...args], options = {}) => {
      const [file, ...rest] = command(user, program, ...args);
      const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/tmp', ...options.env };
      const running = promisify(execFile)(file, rest, { env, maxBuffer: 64 * 1024 * 1024 });
      running.child.stdin?.end(options.input ?? '');
      return (
        await running.catch((error: unknown) => {
          console.error(error);
          throw failureOf(basename(program), error);
        })
      ).stdout;
    },
    own: (path, user) => {
      const ids = users.get(user);
      if (ids === undefined)
        throw new Error(`the private root has no user ${user}: delete ${root}, then start again`);
      if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 });
      execFileSync('chown', ['-R', `${ids.uid}:${ids.gid}`, path]);
    },
  };
}

function readUsers(passwd: string): Map<string, { uid: number; gid: number }> {
  const entries = readFileSync(passwd, 'utf8').trim().split('\n');
  return new Map(
    entries.map((line) => {
      const [name = '', , uid, gid] = line.split(':');
      return [name, { uid: Number(uid), gid: Number(gid) }];
    }),
  );
}
