// The command line of npm start.

export interface StartOptions {
  action: 'run' | 'detach' | 'supervise' | 'stop';
  withSimulator: boolean;
  /** Passed on to the simulator as they are, for example `--stalls 12`. */
  simulatorArgs: string[];
  /** Passed on to the choice of the stack. */
  modeArgs: string[];
}

const usage = `Usage: npm start [-- --detach] [--docker|--real|--embedded] [--no-simulator] [--stalls N] [--seed N] [--speed X] [--faults a,b]
       npm stop`;

const modes = ['--docker', '--real', '--embedded'];
const simulatorOptions = ['--stalls', '--seed', '--speed', '--faults', '--farm'];
const actions: Record<string, StartOptions['action']> = {
  '--detach': 'detach',
  '--supervise': 'supervise',
  '--stop': 'stop',
};

/** Throws with the usage when an argument is unknown. */
export function parseOptions(args: readonly string[]): StartOptions {
  const options: StartOptions = { action: 'run', withSimulator: true, simulatorArgs: [], modeArgs: [] };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const action = actions[arg];
    if (action !== undefined) options.action = action;
    else if (arg === '--no-simulator') options.withSimulator = false;
    else if (modes.includes(arg)) options.modeArgs.push(arg);
    else if (simulatorOptions.includes(arg)) {
      const value = rest.shift();
      if (value === undefined) throw new Error(`${arg} wants a value\n${usage}`);
      options.simulatorArgs.push(arg, value);
    } else throw new Error(`unknown argument ${arg}\n${usage}`);
  }
  return options;
}
