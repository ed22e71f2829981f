// The generated files: docs/configuration.md and the JSON Schemas that editors check the YAML files of config/ with.
import * as z from 'zod';
import { configSchema } from '../../../connector/config/schema.ts';
import { profileSchema } from '../../../contract/profile.ts';
import { gatewaySchema } from '../../../gateways/shared/config.ts';
import { protocolNames } from '../../../gateways/shared/process.ts';
import type { Protocol } from '../../../gateways/shared/protocol.ts';
import { referenceOf, type SchemaNode } from './reference.ts';

const intro = `# Configuration

Made by \`npm run docs\` from the schemas of the parts (\`connector/*/*section.ts\`, \`gateways/\`).

\`config/connector.yaml\` and \`config/gateway.yaml\` are what an administrator edits. The programs never write to them. \`\${NAME}\` takes an
environment variable, \`\${NAME:-fallback}\` with a fallback, \`$\${\` stands for \`\${\` itself; secrets come only that way, and the environment counts nowhere else. A mistake
is answered with file, line and column, what was expected, and a near match; nothing is silently ignored. The files are YAML 1.2 in UTF-8, one
document each; aliases and merge keys (\`<<\`) may be used, \`!tags\` not. Where text is wanted, what is written counts: \`farm: 0012\` is farm 0012,
\`no\` is the text no; switches are \`true\` and \`false\`. Keys that contradict each other are mistakes too. Other files:
\`config/metrics.yaml\` (every value that is stored, with its unit and valid range), \`config/profiles/\` (what devices send). The
gateway's file names them; the connector takes them as arguments: \`--metrics\` and \`--profiles\`, beside \`--config\`.

Editors check the files with \`config/schema/connector.schema.json\` and \`config/schema/gateway.schema.json\`, which the first line of each names.
`;
const gatewayIntro = `Where it publishes, and one section per protocol. A gateway runs the protocols that have a section here.
A change of the file or of a profile is taken over within seconds.`;

/** File name → content. */
export async function generated(): Promise<Map<string, string>> {
  const connector = jsonSchema(configSchema);
  const gateway = jsonSchema(gatewaySchema(await allProtocols()));
  const page = [
    intro,
    `## connector.yaml\n\n${referenceOf(connector)}`,
    `## gateway.yaml\n\n${gatewayIntro}\n\n${referenceOf(gateway)}`,
  ].join('\n');
  return new Map([
    ['config/schema/connector.schema.json', textOf(connector)],
    ['config/schema/gateway.schema.json', textOf(gateway)],
    ['config/schema/profile.schema.json', textOf(jsonSchema(profileSchema))],
    ['docs/configuration.md', page],
  ]);
}

async function allProtocols(): Promise<Protocol[]> {
  const modules = protocolNames()
    .toSorted()
    .map((name) => import(`../../../gateways/${name}/protocol.ts`) as Promise<{ protocol: Protocol }>);
  return (await Promise.all(modules)).map(({ protocol }) => protocol);
}

const textOf = (schema: SchemaNode) => `${JSON.stringify(schema, null, 2)}\n`;

/** What a file may hold. A number that is taken from text too, `${NAME}` for one, says so. */
function jsonSchema(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, {
    io: 'input',
    override({ zodSchema, jsonSchema: node }) {
      const { def } = zodSchema._zod;
      if ('coerce' in def && def.coerce && node.type === 'integer')
        node.type = ['integer', 'string'] as unknown as 'integer';
    },
  }) as SchemaNode;
}
