// Loads config/connector.yaml and checks what a schema cannot.
import type * as z from 'zod';
import { AppError, messageOf } from '../../contract/errors.ts';
import { nearMatch } from '../../contract/near-match.ts';
import { loadYaml } from '../../contract/runtime/yaml.ts';
import { canonicalTemplate, compileTopicTemplate, type TopicTemplate } from '../../contract/topics.ts';
import { configSchema } from './schema.ts';

export type ConnectorConfig = z.infer<typeof configSchema> & { templates: readonly TopicTemplate[] };

/** Loads the connector's configuration; devices may name `profiles`. Throws AppError `invalid` with file:line:column. */
export function loadConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  profiles: ReadonlyMap<string, unknown> = new Map(),
): ConnectorConfig {
  const { value, complain } = loadYaml(file, configSchema, environment);
  const templates = [compileTopicTemplate(canonicalTemplate)];
  for (const [index, topic] of value.mqtt.topics.entries()) {
    try {
      templates.push(
        compileTopicTemplate(topic.template, { farm: topic.farm, deviceType: topic.device_type }),
      );
    } catch (error) {
      throw new AppError('invalid', complain(['mqtt', 'topics', index, 'template'], messageOf(error)));
    }
  }
  for (const [index, { profile }] of value.devices.entries()) {
    if (profile === undefined || profiles.has(profile)) continue;
    const near = nearMatch(profile, [...profiles.keys()]);
    const hint = near === undefined ? '' : `; did you mean '${near}'?`;
    throw new AppError(
      'invalid',
      complain(['devices', index, 'profile'], `no such profile in config/profiles/${hint}`),
    );
  }
  return { ...value, templates };
}
