// The command line of npm test.

export interface TestOptions {
  /** Parts of paths; a suite runs when it contains one of them, all run without any. */
  patterns: string[];
  /** Odoo addon tests and tests that need Odoo. */
  withOdoo: boolean;
  modeArgs: string[];
}

/** Where the addon tests stand in the choice by pattern. */
const addonSuite = 'odoo-addon-bridge/tests';

/** Throws with the usage when an option is unknown. */
export function parseOptions(args: readonly string[]): TestOptions {
  const options: TestOptions = { patterns: [], withOdoo: true, modeArgs: [] };
  for (const arg of args) {
    if (arg === '--no-odoo') options.withOdoo = false;
    else if (arg === '--real' || arg === '--embedded') options.modeArgs.push(arg);
    else if (arg.startsWith('-')) {
      throw new Error(
        `unknown option ${arg}\nUsage: npm test [-- PATTERN...] [--no-odoo] [--real|--embedded]`,
      );
    } else options.patterns.push(arg);
  }
  return options;
}

export const isSelected = ({ patterns }: TestOptions, path: string): boolean =>
  patterns.length === 0 || patterns.some((pattern) => path.includes(pattern));

export const wantsAddonTests = (options: TestOptions): boolean =>
  options.withOdoo && isSelected(options, addonSuite);
