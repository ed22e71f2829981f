// npm run chaos [-- NAME] [--quick] [--seed N] [--only FAULT,FAULT]: faults under load on services of their own, and an audit at the end.
import { atMost, oneOf, readArgs, runCommand, wholeNumber } from '../../../contract/runtime/command-line.ts';
import { bringDown, bringUp, runningDaemon } from '../../ops/stack/client.ts';
import { decideTestMode } from '../../ops/stack/choose.ts';
import { readEnvFile } from '../../ops/stack/env-file.ts';
import { openInstance, readSettings } from '../../ops/stack/instance.ts';
import { openProgress } from '../../ops/stack/progress.ts';
import { run as gateway } from './gateway.ts';
import { run as pipeline, type ChaosContext } from './pipeline.ts';

const chaoses = { pipeline, gateway } satisfies Record<string, (context: ChaosContext) => Promise<object>>;
const usage = `Usage: npm run chaos [-- ${Object.keys(chaoses).join('|')}] [--quick] [--seed N] [--only FAULT,FAULT]
  --quick  six faults instead of two dozen
  --seed   the same faults in the same order; without it a new one, which is printed
  --only   these faults, three times each, for example 'disk full,database restored'`;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = readArgs(args, {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '' },
  });
  const name = oneOf('chaos', positionals[0] ?? 'pipeline', ['pipeline', 'gateway']);
  atMost(1, positionals);
  const chaos: (context: ChaosContext) => Promise<object> = chaoses[name];
  const seed = values.seed === '' ? Date.now() % 1_000_000 : wholeNumber('--seed', values.seed, 0, 2 ** 31);
  const { mode, why } = await decideTestMode([]);
  if (mode !== 'real') throw new Error(`chaos needs real services, to kill them: ${why}`);
  const instance = openInstance('chaos');
  if (runningDaemon(instance) !== undefined)
    throw new Error('another chaos runs in this folder: wait for it, or use a second clone');
  const progress = openProgress(process.stderr);
  try {
    progress.step(`seed ${seed}; services of their own, mode ${mode}: ${why}`);
    await bringUp({ instance, mode, report: progress.step, tied: true });
    const [env, settings, daemon] = [readEnvFile(instance), readSettings(instance), runningDaemon(instance)];
    if (env === undefined || settings === undefined || daemon === undefined)
      throw new Error(`the stack is not up: read ${instance.logDir}/stack.log`);
    const { quick, only } = values;
    const context = {
      env,
      settings,
      daemonPid: daemon.pid,
      dir: instance.dir,
      quick,
      only,
      seed,
      report: progress.step,
    };
    const result = await chaos(context);
    progress.close();
    console.log(JSON.stringify({ chaos: name, seed, ...result }));
    const {
      lost = 0,
      duplicates = 0,
      odoo_duplicates = 0,
      odoo_wrong = 0,
      odoo_differing = 0,
      wrong_milkings = 0,
      same_lost = 0,
      same_twice = 0,
      dead_letters_twice = 0,
    } = result as Record<string, number>;
    const wrong = lost + duplicates + wrong_milkings + same_lost + same_twice + dead_letters_twice;
    if (wrong + odoo_duplicates + odoo_wrong + odoo_differing > 0) process.exitCode = 1;
  } finally {
    progress.fail();
    await bringDown(instance);
  }
}

await runCommand(usage, main);
