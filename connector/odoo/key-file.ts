// Where the API key is kept: a file that an administrator or a rotation replaces, else what the configuration says.
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AppError, messageOf } from '../../contract/errors.ts';

/** Reads and replaces the key. */
export interface KeyStore {
  /** The key that holds now; read anew each time. Throws AppError `invalid` when the file cannot be read. */
  read(): string;
  /** Replaces the key for good. Throws AppError `invalid` without a file. */
  write(key: string): void;
  canWrite: boolean;
}

/** `file` empty: the key is `fallback` and cannot be replaced. A file that does not exist yet means `fallback` too. */
export function createKeyStore(file: string, fallback: string): KeyStore {
  return {
    canWrite: file !== '',
    read() {
      if (file === '') return fallback;
      try {
        return readFileSync(file, 'utf8').trim() || fallback;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fallback;
        throw new AppError('invalid', `odoo.api_key_file cannot be read: ${messageOf(error)}`, {
          cause: error,
        });
      }
    },
    write(key) {
      if (file === '')
        throw new AppError('invalid', 'odoo.api_key_file is not set: there is no place to keep a new key');
      const part = `${file}.part`;
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const handle = openSync(part, 'w', 0o600);
      try {
        // A file that was there keeps its mode at open.
        chmodSync(part, 0o600);
        writeSync(handle, `${key}\n`);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(part, file);
    },
  };
}
