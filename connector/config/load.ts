// Loads config/connector.yaml and checks what a schema cannot.
import type * as z from 'zod';
import { AppError, messageOf } from '../../contract/errors.ts';
import { loadYaml } from '../../contract/runtime/yaml.ts';
import { canonicalTemplate, compileTopicTemplate, type TopicTemplate } from '../../contract/topics.ts';
import { crossProblems } from './cross-checks.ts';
import { configSchema } from './schema.ts';
import { overlapProblem } from './topic-overlap.ts';

export type ConnectorConfig = z.infer<typeof configSchema> & { templates: readonly TopicTemplate[] };

/** Loads the connector's configuration; devices may name `profiles`. Throws AppError `invalid` with file:line:column. */
export function loadConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  profiles: ReadonlyMap<string, unknown> = new Map(),
): ConnectorConfig {
  const { value, complain } = loadYaml(file, configSchema, environment);
  const problems = crossProblems(value, profiles).map(({ path, message }) => complain(path, message));
  const named = [{ name: canonicalTemplate, template: compileTopicTemplate(canonicalTemplate) }];
  for (const [index, topic] of value.mqtt.topics.entries()) {
    const problem = addTemplate(topic, named);
    if (problem !== undefined) problems.push(complain(['mqtt', 'topics', index, 'template'], problem));
  }
  if (problems.length > 0) throw new AppError('invalid', problems.join('\n'));
  return { ...value, templates: named.map(({ template }) => template) };
}

/** Puts a topic shape behind the others, or tells why it cannot stand there. */
function addTemplate(
  { template: name, farm, device_type: deviceType }: z.infer<typeof configSchema>['mqtt']['topics'][number],
  named: { name: string; template: TopicTemplate }[],
): string | undefined {
  try {
    const template = compileTopicTemplate(name, { farm, deviceType });
    const overlap = overlapProblem(template, named);
    named.push({ name, template });
    return overlap === undefined ? undefined : `topic template '${name}' ${overlap}`;
  } catch (error) {
    return messageOf(error);
  }
}
