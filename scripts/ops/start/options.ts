// The command line of npm start.
import { atMost, readArgs, UsageError, wholeNumber } from '../../../contract/runtime/command-line.ts';
import { parseFaults } from '../../dev/simulator/faults.ts';

export interface StartOptions {
  action: 'run' | 'detach' | 'supervise' | 'stop';
  withSimulator: boolean;
  /** Passed on to the simulator as they are, for example `--stalls 12`. */
  simulatorArgs: string[];
  /** Passed on to the choice of the stack. */
  modeArgs: string[];
}

export const usage = `Usage: npm start [-- OPTIONS]      services, connector, gateway and a simulated farm
       npm stop                    stops all of it; data stays
  --detach                         returns once a milking is stored; npm stop ends it
  --docker | --real | --embedded   this mode; without it the best that the machine allows
  --no-simulator                   for a farm with real devices
  --stalls N  --seed N  --speed X  --faults a,b  --farm CODE
                                   of the simulated farm, see node scripts/dev/simulator/main.ts --help`;

const flag = { type: 'boolean', default: false } as const;
const text = { type: 'string' } as const;
const modes = ['docker', 'real', 'embedded'] as const;
const simulatorOptions = ['stalls', 'seed', 'speed', 'faults', 'farm'] as const;

/** Throws UsageError when an argument is unknown or makes no sense. */
export function parseOptions(args: readonly string[]): StartOptions {
  const { values, positionals } = readArgs(args, {
    detach: flag,
    supervise: flag,
    stop: flag,
    docker: flag,
    real: flag,
    embedded: flag,
    'no-simulator': flag,
    stalls: text,
    seed: text,
    speed: text,
    faults: text,
    farm: text,
  });
  atMost(0, positionals);
  const modeArgs = modes.filter((mode) => values[mode]).map((mode) => `--${mode}`);
  if (modeArgs.length > 1) throw new UsageError(`choose one of ${modeArgs.join(' and ')}`);
  if (values.stalls !== undefined) wholeNumber('--stalls', values.stalls, 0, 247);
  if (values.faults !== undefined) parseFaults(values.faults);
  if (values.seed !== undefined) wholeNumber('--seed', values.seed, 0, 2 ** 31);
  return {
    action: values.stop ? 'stop' : values.supervise ? 'supervise' : values.detach ? 'detach' : 'run',
    withSimulator: !values['no-simulator'],
    simulatorArgs: simulatorOptions.flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [`--${name}`, value];
    }),
    modeArgs,
  };
}
