// Accounts at the broker: one for people, one for each program, each with its own secret. A program's account has the name of its
// client id, which the broker insists on: nobody takes over another's session.
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { mqttAccount } from './env-file.ts';
import { repoDir } from './instance.ts';
import type { Secrets } from './types.ts';

export interface BrokerAccount {
  username: string;
  password: string;
}

/** `people`: the administrator's tools, and tests; any client id. The others: programs that npm start runs. */
export type BrokerRole = 'people' | 'connector' | 'gateway' | 'chirpstack' | 'simulator';

/** Names as the delivered config/ and config/mosquitto/acl have them. */
export const deliveredNames: Readonly<Record<BrokerRole, string>> = {
  people: mqttAccount,
  connector: 'smart-dairy-connector',
  gateway: 'gateway-farm1-parlour-gw',
  chirpstack: 'gateway-farm1-parlour-gw-chirpstack',
  simulator: 'simulator',
};

/** Accounts of an installation. Those of programs are derived, so that installations from before have them too. */
export function brokerAccounts(secrets: Secrets): Record<BrokerRole, BrokerAccount> {
  const names = accountNames();
  const account = (role: BrokerRole): BrokerAccount => ({
    username: names[role],
    password:
      role === 'people'
        ? secrets.mqtt
        : createHmac('sha256', secrets.mqtt).update(`broker ${role}`).digest('base64url'),
  });
  return {
    people: account('people'),
    connector: account('connector'),
    gateway: account('gateway'),
    chirpstack: account('chirpstack'),
    simulator: account('simulator'),
  };
}

/** Client ids follow from the files that an administrator edits. */
function accountNames(): Record<BrokerRole, string> {
  const { farm, uid } = contentOf('config/gateway.yaml');
  const mqtt = contentOf('config/connector.yaml')['mqtt'] as { client_id?: unknown } | undefined;
  const isNamed = typeof farm === 'string' && typeof uid === 'string' && !`${farm}${uid}`.includes('$');
  const gateway = isNamed ? `gateway-${farm}-${uid}` : deliveredNames.gateway;
  return {
    ...deliveredNames,
    ...(typeof mqtt?.client_id === 'string' ? { connector: mqtt.client_id } : {}),
    gateway,
    chirpstack: `${gateway}-chirpstack`,
  };
}

/** An administrator's file as it is; empty when it is not there or damaged: its program says what is wrong. */
export function contentOf(name: string): Record<string, unknown> {
  const file = join(repoDir, name);
  try {
    return existsSync(file) ? ((parse(readFileSync(file, 'utf8')) ?? {}) as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
