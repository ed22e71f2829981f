// The broker's configuration for one instance, made from config/mosquitto, and its password file.
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mqttAccount } from './env-file.ts';
import { repoDir, writePrivate } from './instance.ts';
import type { Secrets } from './types.ts';

const iterations = 1_000;

/** One line of Mosquitto's password file: PBKDF2 with SHA-512, as `mosquitto_passwd` writes it. */
export function passwordLine(account: string, password: string, salt: Buffer = randomBytes(12)): string {
  const hash = pbkdf2Sync(password, salt, iterations, 64, 'sha512');
  return `${account}:$7$${iterations}$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}

/** Fills the folder that the broker sees as /mosquitto/config. `listener` is `PORT [ADDRESS]`, `mode` that of the files. */
export function writeMosquittoConfig(dir: string, listener: string, secrets: Secrets, mode = 0o600): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const source = join(repoDir, 'config/mosquitto');
  const config = readFileSync(join(source, 'mosquitto.conf'), 'utf8');
  const files = {
    'mosquitto.conf': config.replace(/^listener 1883$/m, `listener ${listener}`),
    acl: readFileSync(join(source, 'acl'), 'utf8'),
    passwords: passwordLine(mqttAccount, secrets.mqtt),
  };
  for (const [name, text] of Object.entries(files)) {
    writePrivate(join(dir, name), text);
    chmodSync(join(dir, name), mode);
  }
}
