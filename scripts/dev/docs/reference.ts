// A JSON Schema as a page for people: a table of the keys that stand alone, then one table per section.

/** The parts of a JSON Schema that the page shows. */
export interface SchemaNode {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: SchemaNode[];
  minimum?: number;
  maximum?: number;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode | boolean;
  required?: string[];
  items?: SchemaNode;
}

const head = '| key | value | default | meaning |\n|---|---|---|---|\n';

/** The tables of a file's schema. */
export function referenceOf(root: SchemaNode): string {
  const entries = Object.entries(root.properties ?? {});
  const alone = entries.filter(([, node]) => rowsOf(node, '').length === 0);
  const rows = alone.map(([name, node]) => row(name, node, isRequired(root, name)));
  const sections = entries
    .filter(([, node]) => rowsOf(node, '').length > 0)
    .map(
      ([name, node]) =>
        `### ${name}\n\n${node.description ?? ''}.\n\n${head}${rowsOf(node, '').join('\n')}\n`,
    );
  return [...(rows.length === 0 ? [] : [`${head}${rows.join('\n')}\n`]), ...sections].join('\n');
}

/** One row per key below a node, whatever stands between: a list's members, a map's values. */
function rowsOf(node: SchemaNode, prefix: string): string[] {
  if (node.items !== undefined) return rowsOf(node.items, `${prefix}[].`);
  if (typeof node.additionalProperties === 'object') return rowsOf(node.additionalProperties, `${prefix}.*.`);
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    row(`${prefix}${name}`, child, isRequired(node, name)),
    ...rowsOf(child, child.properties === undefined ? `${prefix}${name}` : `${prefix}${name}.`),
  ]);
}

const isRequired = (parent: SchemaNode, name: string) => parent.required?.includes(name) === true;

const row = (name: string, node: SchemaNode, required: boolean) =>
  `| \`${name}\` | ${valueOf(node)} | ${defaultOf(node, required)} | ${cell(node.description ?? '')} |`;

const cell = (text: string) => text.replaceAll('|', '\\|');

function valueOf(node: SchemaNode): string {
  if (node.anyOf !== undefined) return node.anyOf.map(valueOf).join(', ');
  const words = node.enum ?? (node.const === undefined ? undefined : [node.const]);
  if (words !== undefined) return words.map((value) => `\`${String(value)}\``).join(', ');
  if (node.properties !== undefined) return 'section';
  if (typeof node.additionalProperties === 'object') return 'map';
  if (node.type === 'array') return 'list';
  const type = Array.isArray(node.type) ? node.type[0] : node.type;
  const { minimum, maximum = Number.MAX_SAFE_INTEGER } = node;
  const range =
    minimum === undefined
      ? ''
      : maximum < Number.MAX_SAFE_INTEGER
        ? ` ${minimum}…${maximum}`
        : ` ≥ ${minimum}`;
  return `${type ?? 'any'}${range}`;
}

function defaultOf(node: SchemaNode, required: boolean): string {
  if (required) return '**required**';
  if (node.default === undefined || node.properties !== undefined) return '';
  return `\`${JSON.stringify(node.default)}\``;
}
