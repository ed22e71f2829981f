// npm run profile -- check FILE | probe FILE --host HOST [--port 502] [--unit 1] | new: device profiles by hand.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, oneOf, readArgs, runCommand, UsageError } from '../../../contract/runtime/command-line.ts';
import { loadMetrics, loadProfile } from '../../../contract/runtime/profiles.ts';
import { unknownFields } from '../../../gateways/lorawan/model.ts';
import { planReads } from '../../../gateways/modbus/plan.ts';
import { checkSamples } from './check.ts';
import { probe } from './probe.ts';
import { template } from './template.ts';

const usage = `Usage:
  npm run profile -- check FILE    reads the profile, names every mistake with its place, runs its samples
  npm run profile -- probe FILE --host HOST [--port 502] [--unit 1] [--rtu-tcp]
  npm run profile -- probe FILE --serial /dev/ttyUSB0 [--baud 9600] [--parity even] [--unit 1]
                                   reads a live device once: raw, decoded and published values side by side
  npm run profile -- new [FILE]    a commented profile to fill in, for example config/profiles/VENDOR-MODEL.yaml;
                                   without FILE it is printed`;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = readArgs(args, {
    host: { type: 'string' },
    port: { type: 'string', default: '502' },
    unit: { type: 'string', default: '1' },
    'rtu-tcp': { type: 'boolean', default: false },
    serial: { type: 'string' },
    baud: { type: 'string', default: '9600' },
    parity: { type: 'string', default: 'even' },
    metrics: { type: 'string', default: join('config', 'metrics.yaml') },
  });
  const [, file] = positionals;
  const action = oneOf('command', positionals[0], ['check', 'probe', 'new']);
  atMost(2, positionals);
  if (action === 'new') return writeTemplate(file);
  if (file === undefined) throw new UsageError(`${action} which FILE?`);
  const catalogue = loadMetrics(values.metrics);
  const profile = loadProfile(file, catalogue);
  if (action === 'probe') {
    const { lines, hasAnswer } = await probe(profile, values);
    for (const line of lines) console.log(line);
    if (!hasAnswer) throw new Error('nothing answers: address, unit id, serial settings and wiring?');
    return;
  }
  const requests =
    profile.modbus === undefined ? [] : planReads(profile.modbus).flatMap(({ blocks }) => blocks);
  for (const { table, start, length } of requests) console.log(`request: ${length} × ${table} from ${start}`);
  const profiles = new Map([[profile.profile, profile]]);
  const wrong = [...unknownFields(profile), ...checkSamples(profile, { catalogue, profiles })];
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`${profile.profile}: fine, ${profile.samples.length} samples`);
}

/** Into a new file, or on the screen. */
function writeTemplate(file: string | undefined): void {
  if (file === undefined) return console.log(template);
  if (existsSync(file)) throw new Error(`${file} is there already: choose another name`);
  writeFileSync(file, template);
  console.log(`${file}: fill it in, then npm run profile -- check ${file}`);
}

await runCommand(usage, main);
