// The broker's configuration for one instance, made from config/mosquitto, and its password file.
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerAccounts, deliveredNames, type BrokerRole } from './broker-accounts.ts';
import { repoDir, writePrivate } from './instance.ts';
import type { Secrets } from './types.ts';

const iterations = 1_000;

/** One line of Mosquitto's password file: PBKDF2 with SHA-512, as `mosquitto_passwd` writes it. */
export function passwordLine(account: string, password: string, salt: Buffer = randomBytes(12)): string {
  const hash = pbkdf2Sync(password, salt, iterations, 64, 'sha512');
  return `${account}:$7$${iterations}$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}

/** A line for each of these roles. */
export function passwordFile(secrets: Secrets, roles: readonly BrokerRole[]): string {
  const accounts = brokerAccounts(secrets);
  return roles.map((role) => passwordLine(accounts[role].username, accounts[role].password)).join('');
}

/** config/mosquitto/acl with this installation's names of accounts. */
export function aclFile(secrets: Secrets): string {
  const accounts = brokerAccounts(secrets);
  const names = new Map(
    Object.entries(deliveredNames).map(([role, name]) => [name, accounts[role as BrokerRole].username]),
  );
  return readFileSync(join(repoDir, 'config/mosquitto/acl'), 'utf8').replaceAll(
    /^user (.+)$/gm,
    (line, name: string) => `user ${names.get(name) ?? line.slice('user '.length)}`,
  );
}

/** `PORT [ADDRESS]` of each: `programs` for programs and devices, `people` for the administrator's tools. */
export interface BrokerListeners {
  programs: string;
  people: string;
}

/** Fills the folder that the broker sees as /mosquitto/config; `mode` is that of the files. */
export function writeMosquittoConfig(
  dir: string,
  listeners: BrokerListeners,
  secrets: Secrets,
  mode = 0o600,
): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const config = readFileSync(join(repoDir, 'config/mosquitto/mosquitto.conf'), 'utf8');
  const files = {
    'mosquitto.conf':
      config.replace(/^listener 1883$/m, `listener ${listeners.programs}`) +
      `\n# People's tools, several at a time under one account.\nlistener ${listeners.people}\n`,
    acl: aclFile(secrets),
    passwords: passwordFile(secrets, ['people', 'connector', 'gateway', 'chirpstack', 'simulator']),
  };
  for (const [name, text] of Object.entries(files)) {
    writePrivate(join(dir, name), text);
    chmodSync(join(dir, name), mode);
  }
}
