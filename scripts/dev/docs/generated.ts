// The generated files: docs/configuration.md and the JSON Schemas that editors check config/connector.yaml and profiles with.
import * as z from 'zod';
import { configSchema } from '../../../connector/config/schema.ts';
import { profileSchema } from '../../../contract/profile.ts';

interface Node {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Node>;
  required?: string[];
  items?: Node;
}

const intro = `# Configuration

Made by \`npm run docs\` from \`connector/config/schema.ts\`.

\`config/connector.yaml\` is what an administrator edits. The program never writes to it. \`\${NAME}\` takes an environment variable,
\`\${NAME:-fallback}\` with a fallback; secrets come only that way. A mistake is answered with file, line and column, what was expected,
and a near match; nothing is silently ignored. Other files: \`config/gateway.yaml\` (the gateway), \`config/metrics.yaml\` (every value
that is stored, with its unit and valid range), \`config/profiles/\` (what devices send).

Editors check the file with \`config/schema/connector.schema.json\`.
`;

/** File name → content. */
export function generated(): Map<string, string> {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return new Map([
    ['config/schema/connector.schema.json', `${JSON.stringify(schema, null, 2)}\n`],
    [
      'config/schema/profile.schema.json',
      `${JSON.stringify(z.toJSONSchema(profileSchema, { io: 'input' }), null, 2)}\n`,
    ],
    ['docs/configuration.md', `${intro}\n${sections(schema as Node)}`],
  ]);
}

function sections(root: Node): string {
  return Object.entries(root.properties ?? {})
    .map(([name, node]) => {
      const rows = rowsOf(node.items ?? node, node.items === undefined ? '' : '[].');
      return `## ${name}\n\n${node.description ?? ''}.\n\n| key | value | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
    })
    .join('\n');
}

function rowsOf(node: Node, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const own = `| \`${prefix}${name}\` | ${valueOf(child)} | ${defaultOf(child, node.required?.includes(name) === true)} | ${child.description ?? ''} |`;
    const inner = child.items ?? child;
    return inner.properties === undefined
      ? [own]
      : [own, ...rowsOf(inner, `${prefix}${name}${child.items === undefined ? '' : '[]'}.`)];
  });
}

function valueOf(node: Node): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.properties !== undefined) return 'section';
  if (node.type === 'array') return 'list';
  const { minimum, maximum = Number.MAX_SAFE_INTEGER } = node;
  const range =
    minimum === undefined
      ? ''
      : maximum < Number.MAX_SAFE_INTEGER
        ? ` ${minimum}…${maximum}`
        : ` ≥ ${minimum}`;
  return `${node.type ?? 'any'}${range}`;
}

function defaultOf(node: Node, required: boolean): string {
  if (required) return '**required**';
  if (node.default === undefined || node.properties !== undefined) return '';
  return `\`${JSON.stringify(node.default)}\``;
}
