// The report of Python's coverage on the Odoo addons. No I/O.
import type { FileFigures } from './tally.ts';

interface PythonReport {
  files: Record<
    string,
    {
      missing_lines: readonly number[];
      summary: {
        covered_lines: number;
        num_statements: number;
        covered_branches: number;
        num_branches: number;
      };
    }
  >;
}

/** Reads the report (`coverage json`); Odoo sees the addons in /srv/addons. */
export function readAddonReport(json: string): FileFigures[] {
  const { files } = JSON.parse(json) as PythonReport;
  return Object.entries(files).map(([name, { summary, missing_lines }]) => ({
    file: name.replace(/^.*srv\/addons\//, 'odoo-addon-bridge/'),
    lines: { covered: summary.covered_lines, total: summary.num_statements },
    branches: { covered: summary.covered_branches, total: summary.num_branches },
    missed: missing_lines.join(', '),
  }));
}
