// npm run profile -- check FILE | probe FILE --host HOST [--port 502] [--unit 1] | new: device profiles by hand.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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
  npm run profile -- new > config/profiles/VENDOR-MODEL.yaml`;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      host: { type: 'string' },
      port: { type: 'string', default: '502' },
      unit: { type: 'string', default: '1' },
      'rtu-tcp': { type: 'boolean', default: false },
      serial: { type: 'string' },
      baud: { type: 'string', default: '9600' },
      parity: { type: 'string', default: 'even' },
      metrics: { type: 'string', default: join('config', 'metrics.yaml') },
    },
  });
  const [action, file] = positionals;
  if (action === 'new') return console.log(template);
  if (file === undefined || (action !== 'check' && action !== 'probe')) throw new Error(usage);
  const catalogue = loadMetrics(values.metrics);
  const profile = loadProfile(file, catalogue);
  if (action === 'probe') {
    for (const line of await probe(profile, values)) console.log(line);
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

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
