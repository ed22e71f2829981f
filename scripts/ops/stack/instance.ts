// Where an instance keeps its files, and what it remembers from start to start.
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Instance, InstanceName, Secrets, Settings } from './types.ts';

export const repoDir = resolve(import.meta.dirname, '../../..');

/** Paths of one instance; makes the folders when they are missing. */
export function openInstance(name: InstanceName): Instance {
  const dir = name === 'demo' ? join(repoDir, '.stack') : join(repoDir, '.stack', name);
  makeFolders(dir, ['.', 'run', 'log']);
  return {
    name,
    dir,
    envFile: join(dir, 'env'),
    settingsFile: join(dir, 'settings.json'),
    stateFile: join(dir, 'run', 'state.json'),
    daemonFile: join(dir, 'run', 'daemon.json'),
    socket: join(dir, 'run', 'control.sock'),
    logDir: join(dir, 'log'),
  };
}

/** A start by root leaves folders that nobody else may write: that is said, with the way out. */
function makeFolders(dir: string, folders: readonly string[]): void {
  try {
    for (const folder of folders) mkdirSync(join(dir, folder), { recursive: true, mode: 0o700 });
    accessSync(dir, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw cause;
    const owner = statSync(dir, { throwIfNoEntry: false })?.uid;
    const whose =
      owner === undefined
        ? 'so may not the folder above it'
        : owner === 0
          ? 'it belongs to root'
          : `it belongs to user ${owner}`;
    throw new Error(
      `${dir} cannot be written: ${whose}. Run this as its owner (root: sudo npm stop first), or throw it away with all its data: sudo rm -rf ${dir}`,
      { cause },
    );
  }
}

/** Folder for what may be deleted at any time: private roots, shared by all clones of a user. */
export function cacheDir(): string {
  const xdg = process.env['XDG_CACHE_HOME'];
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.cache'), 'smart-dairy');
}

/** Writes a file that only its owner can read, complete or not at all. */
export function writePrivate(file: string, text: string): void {
  const part = `${file}.part`;
  writeFileSync(part, text, { mode: 0o600 });
  renameSync(part, file);
}

/** Parsed JSON of a file of our own, undefined when it does not exist. */
export function readJson(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** What this installation remembers, or undefined before the first start. */
export const readSettings = (instance: Instance): Settings | undefined =>
  readJson(instance.settingsFile) as Settings | undefined;

export const writeSettings = (instance: Instance, settings: Settings): void =>
  writePrivate(instance.settingsFile, `${JSON.stringify(settings, null, 2)}\n`);

const secret = (): string => randomBytes(24).toString('base64url');

export function newSecrets(): Secrets {
  return {
    postgresAdmin: secret(),
    postgres: secret(),
    postgresOdoo: secret(),
    mqtt: secret(),
    connectorToken: secret(),
    odooMaster: secret(),
    // A person types this one.
    odooAdmin: randomBytes(9).toString('base64url'),
  };
}
