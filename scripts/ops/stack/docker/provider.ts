// Docker mode: everything in docker-compose.yml, driven by `docker compose`. Files and secrets are made here.
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { adminUrl, answers, databaseExists, setUpDatabase, setUpReader, withClient } from '../database.ts';
import { brokerAccounts } from '../broker-accounts.ts';
import { commonEnv, formatEnv, writeEnvFile } from '../env-file.ts';
import { odooLinkEnv, writeOdooLink } from '../odoo-link.ts';
import { writePrivate, writeSettings } from '../instance.ts';
import { writeMosquittoConfig } from '../mosquitto-config.ts';
import { addonNames, addonsDir, hashAddons } from '../real/addons.ts';
import { bootstrapEnv, odooDatabase, odooEnv, readApiKey, wantDemoData } from '../real/odoo.ts';
import { prepareSettings } from '../settings.ts';
import type { EnvValues, Instance, Report, Settings } from '../types.ts';
import { compose, dockerEnvFile } from './compose.ts';

/** What runs beside the services. */
interface DockerUp {
  withPrograms: boolean;
  withSimulator: boolean;
}

const isUp = (instance: Instance): boolean => existsSync(dockerEnvFile(instance));

/** Starts the services and, if wanted, connector, gateway and simulator, all in containers. Writes the env file. */
export async function dockerUp(instance: Instance, report: Report, wanted: DockerUp): Promise<void> {
  const settings = await prepareSettings(instance, { keepPorts: isUp(instance) });
  writeDockerEnv(instance, settings);
  // Inside `.stack`, which is closed, it may be readable: the broker in its container is another user.
  const brokerConfig = join(instance.dir, 'docker/mosquitto');
  mkdirSync(brokerConfig, { recursive: true });
  writeMosquittoConfig(brokerConfig, { programs: '1883', people: '1884' }, settings.secrets, 0o644);

  report('starting PostgreSQL and Mosquitto');
  await compose(instance, ['up', '--detach', '--wait', 'postgres', 'mosquitto']);
  if (!(await answers(adminUrl(settings)))) {
    throw new Error(
      'PostgreSQL has data with other secrets: run npm run stack -- reset --docker, then start again',
    );
  }
  await setUpDatabase(settings);
  await setUpReader(settings, 'grafana_reader', readerPassword(settings));
  const installed = await installOdoo(instance, settings, report);
  await writeOdooLink(installed, odooDatabase, 'http://connector:8080');
  writeDockerEnv(instance, installed);
  writeEnvFile(instance, { ...odooEnv(installed), ...commonEnv(installed) });

  report('starting Odoo');
  await compose(instance, ['up', '--detach', '--wait', 'odoo']);
  if (!wanted.withPrograms) return;
  report(
    `starting connector and gateway${wanted.withSimulator ? ' and simulator' : ''} (builds their image)`,
  );
  const profile = wanted.withSimulator ? ['--profile', 'demo'] : [];
  await compose(instance, [...profile, 'up', '--detach', '--build', '--wait']);
}

/** The same databases as in real mode: base without Odoo's own demo data, our addons with theirs. */
async function installOdoo(instance: Instance, settings: Settings, report: Report): Promise<Settings> {
  const hash = hashAddons();
  if (settings.addonsHash === hash) return settings;
  const odoo = (...args: string[]): Promise<string> =>
    compose(instance, ['run', '--rm', 'odoo', 'odoo', ...args]);
  const database = `--database=${odooDatabase}`;
  if (settings.addonsHash === undefined) {
    report('preparing Odoo (once)');
    await withClient(adminUrl(settings), async (query) => {
      if (await databaseExists(query, odooDatabase)) return;
      // template1 of the image carries TimescaleDB, which Odoo's database must not.
      await query(`create database "${odooDatabase}" owner odoo template template0`);
    });
    await odoo(database, '--init=base,mail,web', '--stop-after-init');
    await wantDemoData(settings, odooDatabase);
  }
  report('installing the addons in Odoo');
  const how = settings.addonsHash === undefined ? '--init' : '--update';
  await odoo(database, `${how}=${addonNames().join(',')}`, '--stop-after-init');
  report('making the integration user and its key');
  const env = bootstrapEnv(instance.name, settings);
  const named = Object.keys(env).flatMap((name) => ['--env', name]);
  const command = ['run', '--rm', '--no-TTY', ...named, 'odoo', 'odoo', 'shell', database];
  const output = await compose(instance, [...command, '--no-http'], {
    input: readFileSync(join(addonsDir, 'bootstrap.py'), 'utf8'),
    env,
  });
  const installed = { ...settings, addonsHash: hash, odooApiKey: readApiKey(output) };
  writeSettings(instance, installed);
  return installed;
}

/** Of the role that Grafana reads with; installations from before it have no stored one. */
const readerPassword = ({ secrets }: Settings): string =>
  createHmac('sha256', secrets.postgresAdmin).update('grafana_reader').digest('base64url');

/** Variables of docker-compose.yml. */
function writeDockerEnv(instance: Instance, settings: Settings): void {
  const { ports, secrets, odooApiKey } = settings;
  const values = {
    POSTGRES_ADMIN_PASSWORD: secrets.postgresAdmin,
    POSTGRES_CONNECTOR_PASSWORD: secrets.postgres,
    POSTGRES_ODOO_PASSWORD: secrets.postgresOdoo,
    POSTGRES_PORT: String(ports.postgres),
    ...brokerLogins(settings),
    MQTT_PORT: String(ports.mqtt),
    ODOO_PORT: String(ports.odoo),
    GATEWAY_HTTP_PORT: String(ports.intake),
    ODOO_API_KEY: odooApiKey ?? '',
    CONNECTOR_PORT: String(ports.connector),
    CONNECTOR_TOKEN: secrets.connectorToken,
    CONNECTOR_ODOO_SECRET: odooLinkEnv(settings)['CONNECTOR_ODOO_SECRET'] ?? '',
    CONNECTOR_HOOK_TOKEN: odooLinkEnv(settings)['CONNECTOR_HOOK_TOKEN'] ?? '',
    GRAFANA_PASSWORD: secrets.odooAdmin,
    GRAFANA_DATABASE_PASSWORD: readerPassword(settings),
  };
  writePrivate(dockerEnvFile(instance), formatEnv(values));
}

/** Each program's own account, as docker-compose.yml names them; MQTT_USERNAME is people's. */
function brokerLogins({ secrets }: Settings): EnvValues {
  const { people, connector, gateway, chirpstack, simulator } = brokerAccounts(secrets);
  return {
    MQTT_USERNAME: people.username,
    MQTT_PASSWORD: people.password,
    CONNECTOR_MQTT_USERNAME: connector.username,
    CONNECTOR_MQTT_PASSWORD: connector.password,
    GATEWAY_MQTT_USERNAME: gateway.username,
    GATEWAY_MQTT_PASSWORD: gateway.password,
    CHIRPSTACK_MQTT_USERNAME: chirpstack.username,
    CHIRPSTACK_MQTT_PASSWORD: chirpstack.password,
    SIMULATOR_MQTT_PASSWORD: simulator.password,
  };
}

/** Ends the containers if this instance has started any; with `withData` their volumes too. True when it had. */
export async function dockerDown(instance: Instance, { withData }: { withData: boolean }): Promise<boolean> {
  if (!isUp(instance)) return false;
  await compose(instance, ['--profile', '*', 'down', ...(withData ? ['--volumes'] : [])]);
  rmSync(dockerEnvFile(instance));
  return true;
}

/** Prints what runs in containers; false when this instance has started none. */
export async function dockerStatus(instance: Instance): Promise<boolean> {
  if (!isUp(instance)) return false;
  console.log(await compose(instance, ['--profile', '*', 'ps']));
  return true;
}
