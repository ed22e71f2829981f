// The simulator's process: node scripts/dev/simulator/main.ts [--stalls 8] [--speed 12] [--faults slow,garbage] …
import { renameSync, writeFileSync } from 'node:fs';
import { atMost, readArgs, runCommand, UsageError } from '../../../contract/runtime/command-line.ts';
import { faultNames, parseFaults } from './faults.ts';
import { startSimulator } from './simulator.ts';

const usage = `Usage: node scripts/dev/simulator/main.ts [OPTIONS]
  --farm farm1            farm code in the topics
  --stalls 8              stalls with a Modbus meter, one unit id each
  --seed 1                another seed, another farm
  --speed 12              simulated seconds in a second
  --host 127.0.0.1        where the Modbus server listens
  --modbus-port 5020      0 takes any free port
  --modbus-port-file F    the port is written there once the server listens
  --milkings N            stops after N milkings and prints what they truly were as one line of JSON
  --truth-file F          that line goes into a file, also when stopped
  --rfid-port 5021        tags of the stalls come from a TCP reader there; without it over MQTT
  --surroundings          tanks on Modbus, collars (ChirpStack events), feeders; sensors with --http-url
  --http-url URL          HTTP intake of the gateway
  --faults a,b            all, or some of ${faultNames.join(', ')}
Environment: MQTT_URL, MQTT_USERNAME, MQTT_PASSWORD, SIMULATOR_HTTP_TOKEN. Without MQTT_URL only the Modbus meters run.`;

/** Long enough for a gateway to read the last totals. */
const lingerMs = 3000;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = readArgs(args, {
    farm: { type: 'string', default: 'farm1' },
    stalls: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    speed: { type: 'string', default: '12' },
    host: { type: 'string', default: '127.0.0.1' },
    'modbus-port': { type: 'string', default: '5020' },
    'modbus-port-file': { type: 'string' },
    'rfid-port': { type: 'string' },
    surroundings: { type: 'boolean', default: false },
    'http-url': { type: 'string' },
    milkings: { type: 'string' },
    'truth-file': { type: 'string' },
    faults: { type: 'string', default: '' },
  });
  atMost(0, positionals);
  const url = process.env['MQTT_URL'];
  if (url === undefined || url === '')
    console.error('simulator: MQTT_URL is not set, only the Modbus meters run');
  const simulator = await startSimulator({
    farm: values.farm,
    host: values.host,
    stalls: number('stalls', values.stalls, 0, 247),
    seed: number('seed', values.seed, 0, 2 ** 31),
    speed: number('speed', values.speed, 0.1, 1000),
    modbusPort: number('modbus-port', values['modbus-port'], 0, 65_535),
    faults: parseFaults(values.faults),
    ...(values['rfid-port'] === undefined
      ? {}
      : { rfidPort: number('rfid-port', values['rfid-port'], 0, 65_535) }),
    ...(values.surroundings ? { surroundings: { http: httpIntake(values['http-url']) } } : {}),
    ...(values.milkings === undefined ? {} : { milkings: number('milkings', values.milkings, 1, 1e6) }),
    mqtt:
      url === undefined || url === ''
        ? undefined
        : { url, username: process.env['MQTT_USERNAME'], password: process.env['MQTT_PASSWORD'] },
    log: (text) => console.error(`simulator: ${text}`),
  });
  if (values['modbus-port-file'] !== undefined)
    writeWhole(values['modbus-port-file'], `${simulator.modbusPort}\n`);
  console.error(`simulator: ${values.stalls} stalls on Modbus TCP ${values.host}:${simulator.modbusPort}`);

  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  const finished = simulator.finished.then(
    () => new Promise<void>((resolve) => setTimeout(resolve, lingerMs)),
  );
  await Promise.race([stopped, finished]);
  const summary = `${JSON.stringify({ milkings: simulator.truth })}\n`;
  if (values.milkings !== undefined) process.stdout.write(summary);
  if (values['truth-file'] !== undefined) writeWhole(values['truth-file'], summary);
  await simulator.stop();
}

function httpIntake(url: string | undefined) {
  const token = process.env['SIMULATOR_HTTP_TOKEN'] ?? 'only-for-the-simulator';
  return url === undefined ? undefined : { url, token };
}

function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text === '' || !(value >= min && value <= max))
    throw new UsageError(`--${option}: a number from ${min} to ${max} expected, found '${text}'`);
  return value;
}

/** Whoever waits for the file never sees half of it. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

await runCommand(usage, main);
process.exit();
