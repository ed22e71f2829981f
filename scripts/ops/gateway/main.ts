// npm run gateway -- [config/gateway.yaml]: all protocols of one file in one process, with the broker of npm start.
import { connect } from 'node:net';
import { messageOf } from '../../../contract/errors.ts';
import { runAllGateways } from '../../../gateways/shared/process.ts';
import { readEnvFile } from '../stack/env-file.ts';
import { openInstance } from '../stack/instance.ts';
import { runningSupervisor } from '../start/record.ts';

const answerMs = 2_000;

/** What the file may name: of the environment, else of npm start. */
function takeEnvironment(): void {
  for (const [name, value] of Object.entries(readEnvFile(openInstance('demo')) ?? {}))
    process.env[name] ??= value;
}

/** Says in words what is not there; a gateway runs all the same and keeps its readings. */
async function sayWhatIsMissing(): Promise<void> {
  const url = process.env['MQTT_URL'];
  if (url === undefined)
    return console.error(
      'MQTT_URL is not set: run npm start first, or set MQTT_URL, MQTT_USERNAME and MQTT_PASSWORD',
    );
  const { hostname, port } = new URL(url);
  const reason = await whyNoAnswer(hostname, Number(port === '' ? 1883 : port));
  if (reason === undefined) return;
  const hint =
    runningSupervisor(openInstance('demo')) === undefined ? 'npm start does not run' : 'npm start runs';
  console.error(`no broker answers at ${url} (${reason}; ${hint}): readings wait in the spool until it does`);
}

function whyNoAnswer(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: answerMs });
    const end = (reason?: string) => {
      socket.destroy();
      done(reason);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end('no answer'));
    socket.once('error', (error) => end(messageOf(error)));
  });
}

async function prepare(): Promise<void> {
  takeEnvironment();
  await sayWhatIsMissing();
}

await runAllGateways({ forPeople: true, prepare });
