// The command line of npm test.
import { readArgs } from '../../../contract/runtime/command-line.ts';

export interface TestOptions {
  /** Parts of paths; a suite runs when it contains one of them, all run without any. */
  patterns: string[];
  /** Odoo addon tests and tests that need Odoo. */
  withOdoo: boolean;
  modeArgs: string[];
  /** File for the coverage of the addon tests. */
  addonCoverage?: string;
}

/** Where the addon tests stand in the choice by pattern. */
const addonSuite = 'odoo-addon-bridge/tests';

export const usage = `Usage: npm test [-- PATTERN...] [--no-odoo] [--real|--embedded] [--addon-coverage FILE]
  PATTERN     only suites whose path contains it; ${addonSuite} are those of Odoo
  --no-odoo   without the tests that need Odoo
  --real | --embedded   services of this kind
  --addon-coverage FILE     what the Odoo addon tests ran, for npm run coverage`;

const flag = { type: 'boolean', default: false } as const;

/** Throws UsageError when an option is unknown. */
export function parseOptions(args: readonly string[]): TestOptions {
  const options = {
    'no-odoo': flag,
    real: flag,
    embedded: flag,
    'addon-coverage': { type: 'string' },
  } as const;
  const { values, positionals } = readArgs(args, options);
  const addonCoverage = values['addon-coverage'];
  return {
    patterns: positionals,
    withOdoo: !values['no-odoo'],
    modeArgs: (['real', 'embedded'] as const).filter((mode) => values[mode]).map((mode) => `--${mode}`),
    ...(addonCoverage === undefined ? {} : { addonCoverage }),
  };
}

export const isSelected = ({ patterns }: TestOptions, path: string): boolean =>
  patterns.length === 0 || patterns.some((pattern) => path.includes(pattern));

export const wantsAddonTests = (options: TestOptions): boolean =>
  options.withOdoo && isSelected(options, addonSuite);
