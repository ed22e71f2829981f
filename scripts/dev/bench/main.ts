// npm run bench -- NAME [--quick] [--huge] [--profile DIR] [--real|--embedded]: one benchmark on services of its own.
import { cpus, loadavg } from 'node:os';
import { atMost, oneOf, readArgs, runCommand } from '../../../contract/runtime/command-line.ts';
import { bringDown, bringUp, runningDaemon } from '../../ops/stack/client.ts';
import { decideTestMode } from '../../ops/stack/choose.ts';
import { readEnvFile } from '../../ops/stack/env-file.ts';
import { openInstance, readSettings } from '../../ops/stack/instance.ts';
import { openProgress, type Progress } from '../../ops/stack/progress.ts';
import type { Bench } from './harness/bench.ts';
import { run as connections } from './connections.ts';
import { run as gateway } from './gateway.ts';
import { run as latency } from './latency.ts';
import { run as mqtt } from './mqtt.ts';
import { run as odoo } from './odoo.ts';
import { run as odooScreens } from './odoo-screens.ts';
import { run as odooSync } from './odoo-sync.ts';
import { run as query } from './query.ts';
import { run as rest } from './rest.ts';
import { run as storage } from './storage.ts';

const benches = {
  mqtt,
  rest,
  latency,
  storage,
  query,
  odoo,
  'odoo-screens': odooScreens,
  'odoo-sync': odooSync,
  connections,
  gateway,
} satisfies Record<string, Bench>;
const usage = `Usage: npm run bench -- ${Object.keys(benches).join('|')} [--quick] [--huge] [--profile DIR]
  --quick    seconds instead of minutes, 1 M rows instead of 10 M
  --huge     100 M rows (query); ten minutes, to see whether memory stays flat (mqtt)
  --profile  writes a CPU profile of the connector into DIR, for Chrome's developer tools`;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = readArgs(args, {
    quick: { type: 'boolean', default: false },
    huge: { type: 'boolean', default: false },
    profile: { type: 'string', default: '' },
    real: { type: 'boolean' },
    embedded: { type: 'boolean' },
  });
  const name = oneOf('benchmark', positionals[0], Object.keys(benches) as (keyof typeof benches)[]);
  atMost(1, positionals);
  const progress = openProgress(process.stderr);
  try {
    await runBench(name, benches[name], values, progress);
  } finally {
    progress.fail();
  }
}

interface Values {
  quick: boolean;
  huge: boolean;
  profile: string;
  real?: boolean | undefined;
  embedded?: boolean | undefined;
}

async function runBench(name: string, bench: Bench, values: Values, progress: Progress): Promise<void> {
  const forced = [values.real === true ? '--real' : '', values.embedded === true ? '--embedded' : ''];
  const { mode, why } = await decideTestMode(forced.filter((arg) => arg !== ''));
  const instance = openInstance('bench');
  progress.step(`services of their own, mode ${mode}: ${why}`);
  const isOurs = runningDaemon(instance) === undefined;
  try {
    const { versions } = await bringUp({ instance, mode, report: progress.step, tied: isOurs });
    const [env, settings, daemon] = [readEnvFile(instance), readSettings(instance), runningDaemon(instance)];
    if (env === undefined || settings === undefined || daemon === undefined)
      throw new Error(`the bench stack is not up: read ${instance.logDir}/stack.log`);
    const { quick, huge, profile } = values;
    const result = await bench({
      env,
      settings,
      daemonPid: daemon.pid,
      dir: instance.dir,
      mode,
      quick,
      huge,
      profileDir: profile,
      report: progress.step,
    });
    progress.close();
    const [cpu] = cpus();
    const machine = `${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}, load ${loadavg()[0]?.toFixed(1) ?? ''}`;
    const words = Object.entries({ Node: process.version, ...versions }).map(
      ([part, text]) => `${part} ${text}`,
    );
    console.log(`${new Date().toISOString()}, ${machine}, ${words.join(', ')}`);
    console.log(JSON.stringify({ bench: name, ...(quick ? { quick } : {}), ...result }));
  } finally {
    if (isOurs) await bringDown(instance);
  }
}

await runCommand(usage, main);
