// The instance's env file: sourceable by a shell, readable by its owner only.
import { existsSync, readFileSync } from 'node:fs';
import { writePrivate } from './instance.ts';
import type { EnvValues, Instance, Settings } from './types.ts';

const plainValue = /^[A-Za-z0-9_./:@%+,=-]*$/;

/** `KEY=value` lines; a value is single-quoted when the shell would read it differently. */
export function formatEnv(values: EnvValues): string {
  const quote = (value: string): string =>
    plainValue.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
  return Object.entries(values)
    .map(([key, value]) => `${key}=${quote(value)}\n`)
    .join('');
}

/** Reads back what formatEnv wrote. */
export function parseEnv(text: string): EnvValues {
  const values: EnvValues = {};
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at < 1) continue;
    const raw = line.slice(at + 1);
    values[line.slice(0, at)] = raw.startsWith("'") ? raw.slice(1, -1).replaceAll(`'\\''`, "'") : raw;
  }
  return values;
}

export const writeEnvFile = (instance: Instance, values: EnvValues): void =>
  writePrivate(instance.envFile, formatEnv(values));

/** Values of the instance's env file, undefined when it has never been up. */
export function readEnvFile(instance: Instance): EnvValues | undefined {
  return existsSync(instance.envFile) ? parseEnv(readFileSync(instance.envFile, 'utf8')) : undefined;
}

export const mqttAccount = 'smart_dairy';
export const databaseName = 'smart_dairy';

/** The part of the env file that every mode has; Odoo's part is added by the mode that runs one. */
export function commonEnv({ ports, secrets }: Settings): EnvValues {
  return {
    DATABASE_URL: databaseUrl(databaseName, secrets.postgres, ports.postgres, databaseName),
    MQTT_URL: `mqtt://127.0.0.1:${ports.mqtt}`,
    MQTT_USERNAME: mqttAccount,
    MQTT_PASSWORD: secrets.mqtt,
    // Of a gateway that a person starts.
    CHIRPSTACK_MQTT_USERNAME: mqttAccount,
    CHIRPSTACK_MQTT_PASSWORD: secrets.mqtt,
    CONNECTOR_URL: `http://127.0.0.1:${ports.connector}`,
    CONNECTOR_TOKEN: secrets.connectorToken,
  };
}

/** Secrets are base64url, so nothing needs escaping in a URL. */
export function databaseUrl(user: string, password: string, port: number, database: string): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
}
