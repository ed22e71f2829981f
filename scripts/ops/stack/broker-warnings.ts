// What is wrong between connector.yaml and the broker's rights, which a broker keeps to itself: it just passes nothing on.
import { brokerAccounts, contentOf } from './broker-accounts.ts';
import { outsideAcl } from './broker-acl.ts';
import { aclFile } from './mosquitto-config.ts';
import type { Mode, Settings } from './types.ts';

/** One sentence a topic template that the connector's account may not use. The broker inside the connector has no such rights. */
export function brokerWarnings(
  settings: Settings | undefined,
  mode: Mode,
  connector = contentOf('config/connector.yaml'),
): string[] {
  if (settings === undefined || mode === 'embedded') return [];
  const { secrets } = settings;
  const mqtt = connector['mqtt'] as { topics?: unknown } | undefined;
  const topics = Array.isArray(mqtt?.topics) ? (mqtt.topics as { template?: unknown }[]) : [];
  const templates = topics.flatMap(({ template }) => (typeof template === 'string' ? [template] : []));
  return outsideAcl(aclFile(secrets), brokerAccounts(secrets).connector.username, templates);
}
