// The environment of each program of npm start: what its configuration file names, its own account at the broker, and no other
// program's secrets.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerAccounts, type BrokerAccount } from '../stack/broker-accounts.ts';
import { repoDir } from '../stack/instance.ts';
import type { EnvValues, Secrets } from '../stack/types.ts';

type Environment = Readonly<Record<string, string | undefined>>;
export type ProgramName = 'connector' | 'gateway' | 'simulator';

/** What any program needs of its surroundings: nothing of it is secret. */
const surroundings =
  /^(PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|(HTTPS?|NO)_PROXY)$/i;

/** Names in `${NAME}` and `${NAME:-fallback}` of a configuration's text. */
export const namedIn = (text: string): string[] =>
  [...text.matchAll(/(\$?)\$\{([A-Za-z_]\w*)/g)].flatMap(([, escape, name = '']) =>
    escape === '' ? [name] : [],
  );

interface Given {
  /** Of npm start itself: where an administrator's own secrets are. */
  own: Environment;
  /** Of the services: .stack/env. */
  stack: EnvValues;
  /** Further values, of which a program gets those that it names. */
  more: EnvValues;
  secrets: Secrets;
}

/** What the program gets. `text` is its configuration; the simulator has none. */
export function programEnv(name: ProgramName, { own, stack, more, secrets }: Given, text = ''): EnvValues {
  const accounts = brokerAccounts(secrets);
  const isEmbedded = (stack['MQTT_EMBEDDED_PORT'] ?? '') !== '';
  const login = ({ username, password }: BrokerAccount, prefix = ''): EnvValues => ({
    [`${prefix}MQTT_USERNAME`]: username,
    [`${prefix}MQTT_PASSWORD`]: password,
  });
  const broker = { MQTT_URL: stack['MQTT_BOUND_URL'] ?? stack['MQTT_URL'] ?? '' };
  // A connector with a broker inside has to know the administrator's account there; it is no client of it.
  const logins = {
    connector: login(isEmbedded ? accounts.people : accounts.connector),
    gateway: { ...login(accounts.gateway), ...login(accounts.chirpstack, 'CHIRPSTACK_') },
    simulator: login(accounts.simulator),
  };
  const all: Environment = { ...own, ...stack, ...more, ...broker, ...logins[name] };
  const always: Record<ProgramName, readonly string[]> = {
    connector: [],
    gateway: [],
    simulator: ['MQTT_URL', 'MQTT_USERNAME', 'MQTT_PASSWORD', 'SIMULATOR_HTTP_TOKEN'],
  };
  const wanted = new Set([...namedIn(text), ...always[name]]);
  return Object.fromEntries(
    Object.entries(all).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && (surroundings.test(entry[0]) || wanted.has(entry[0])),
    ),
  );
}

/** A configuration and the files beside it that it may name: a connector's mapping has secrets of its own. */
export function configurationText(name: ProgramName): string {
  if (name === 'simulator') return '';
  const text = readFileSync(join(repoDir, `config/${name}.yaml`), 'utf8');
  const [, mapping] = /^\s*mapping_file:\s*['"]?([^'"\s#]+)/m.exec(text) ?? [];
  return mapping === undefined ? text : text + readIfThere(join(repoDir, mapping));
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
