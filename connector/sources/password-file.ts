// Accounts of the embedded broker, in the format of Mosquitto's password file: a line an account, PBKDF2 with SHA-512.
import { pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isSameSecret } from '../../contract/runtime/secret.ts';
import { AppError } from '../../contract/errors.ts';

interface Account {
  iterations: number;
  salt: Buffer;
  hash: string;
}

/** By name. */
export type Accounts = ReadonlyMap<string, Account>;

const linePattern = /^([^:]+):\$7\$(\d+)\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;

/** Reads what mosquitto_passwd writes. Throws AppError `invalid` with the line's number. */
export function parseAccounts(text: string, file = 'passwords'): Accounts {
  const accounts = new Map<string, Account>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name, iterations, salt = '', hash] = linePattern.exec(line.trim()) ?? [];
    if (name === undefined || hash === undefined)
      throw new AppError('invalid', `${file}:${index + 1}: no line as mosquitto_passwd writes it`);
    accounts.set(name, { iterations: Number(iterations), salt: Buffer.from(salt, 'base64'), hash });
  }
  return accounts;
}

/** Throws AppError `invalid` when the file cannot be read. */
export function readAccounts(file: string): Accounts {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('invalid', `${file}: cannot be read. Does it exist, and may this user read it?`, {
      cause,
    });
  }
  return parseAccounts(text, file);
}

/** True when the account is there and this is its password. */
export function isAccount(accounts: Accounts, name: string, password: string): boolean {
  const account = accounts.get(name);
  if (account === undefined) return false;
  const { iterations, salt, hash } = account;
  return isSameSecret(pbkdf2Sync(password, salt, iterations, 64, 'sha512').toString('base64'), hash);
}
