// MQTT topics: dairy/{farm}/{device_type}/{device_uid}/{message_type}, and other shapes through templates.
import * as z from 'zod';

export const deviceTypes = [
  'milk_meter',
  'temperature',
  'collar',
  'feeder',
  'gate',
  'waterer',
  'ph',
  'flow',
  'humidity',
  'pressure',
  'rfid_reader',
  'gateway',
  'energy',
] as const;
export type DeviceType = (typeof deviceTypes)[number];
export const deviceTypeSchema = z.enum(deviceTypes);

export const messageTypes = ['data', 'status', 'commands', 'config', 'alerts'] as const;
export type MessageType = (typeof messageTypes)[number];

/** What a topic says. */
export interface TopicAddress {
  farm: string;
  deviceType: DeviceType;
  deviceUid: string;
  messageType: MessageType;
}

/** A compiled template: one entry a level, a fixed word or a placeholder. */
export interface TopicTemplate {
  levels: readonly TopicLevel[];
  defaults: { farm?: string | undefined; deviceType?: DeviceType | undefined };
}
type Placeholder = 'farm' | 'device_type' | 'device_uid' | 'message_type';
type TopicLevel = { word: string } | { placeholder: Placeholder };

export const canonicalTemplate = 'dairy/{farm}/{device_type}/{device_uid}/{message_type}';

/** Names a device, farm or level may have: no separators, no wildcards, no control characters, at most 64 long. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
const placeholders: readonly string[] = ['farm', 'device_type', 'device_uid', 'message_type'];

/** Compiles a template; throws a plain Error naming the wrong part (configuration reports it with its position). */
export function compileTopicTemplate(
  template: string,
  defaults: TopicTemplate['defaults'] = {},
): TopicTemplate {
  const levels = template.split('/').map((level): TopicLevel => {
    const placeholder = /^\{(\w+)\}$/.exec(level)?.[1];
    if (placeholder === undefined) {
      if (!namePattern.test(level))
        throw new Error(`topic template '${template}': level '${level}' is not a plain word`);
      return { word: level };
    }
    if (!placeholders.includes(placeholder)) {
      throw new Error(
        `topic template '${template}': {${placeholder}} is not one of ${placeholders.join(', ')}`,
      );
    }
    return { placeholder: placeholder as Placeholder };
  });
  const named = levels.flatMap((level) => ('placeholder' in level ? [level.placeholder] : []));
  const twice = named.find((name, index) => named.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`topic template '${template}' has {${twice}} twice`);
  const has = (name: Placeholder) => named.includes(name);
  if (!has('device_uid')) throw new Error(`topic template '${template}' needs {device_uid}`);
  if (!has('farm') && defaults.farm === undefined) {
    throw new Error(`topic template '${template}' has no {farm}: give it a default farm`);
  }
  if (defaults.farm !== undefined && !namePattern.test(defaults.farm)) {
    throw new Error(
      `topic template '${template}': '${defaults.farm}' is not a farm code (letters, digits, . _ : -, at most 64)`,
    );
  }
  if (!has('device_type') && defaults.deviceType === undefined) {
    throw new Error(`topic template '${template}' has no {device_type}: give it a default device_type`);
  }
  return { levels, defaults };
}

/** The MQTT subscription filter that covers a template. */
export function topicFilter(template: TopicTemplate): string {
  return template.levels.map((level) => ('word' in level ? level.word : '+')).join('/');
}

/** Parses a topic by the first template that fits; a string is the reason why none does. */
export function parseTopic(topic: string, templates: readonly TopicTemplate[]): TopicAddress | string {
  const words = topic.split('/');
  let reason = `no topic template fits '${topic}'`;
  for (const template of templates) {
    const result = matchTemplate(words, template);
    if (typeof result === 'object') return result;
    if (result !== '') reason = `topic '${topic}': ${result}`;
  }
  return reason;
}

function matchTemplate(words: readonly string[], template: TopicTemplate): TopicAddress | string {
  if (words.length !== template.levels.length) return '';
  const found: Partial<Record<Placeholder, string>> = {};
  for (const [index, level] of template.levels.entries()) {
    const word = words[index] ?? '';
    if ('word' in level) {
      if (level.word !== word) return '';
    } else found[level.placeholder] = word;
  }
  const deviceType =
    found.device_type === undefined ? template.defaults.deviceType : toDeviceType(found.device_type);
  if (deviceType === undefined) return `unknown device type '${found.device_type ?? ''}'`;
  const messageType = found.message_type ?? 'data';
  if (!isMessageType(messageType)) return `unknown message type '${messageType}'`;
  const farm = found.farm ?? template.defaults.farm ?? '';
  if (!namePattern.test(farm)) return `'${farm}' is not a farm code (letters, digits, . _ : -, at most 64)`;
  const deviceUid = found.device_uid ?? '';
  if (!namePattern.test(deviceUid))
    return `'${deviceUid}' is not a device uid (letters, digits, . _ : -, at most 64)`;
  return { farm, deviceType, deviceUid, messageType };
}

/** Whether a level of a topic names what kind of message it is. */
export function isMessageType(word: string): word is MessageType {
  return (messageTypes as readonly string[]).includes(word);
}

/** Spellings of the customer's documents beside the canonical names. */
const aliases: ReadonlyMap<string, DeviceType> = new Map([
  ['milk_meters', 'milk_meter'],
  ['milkmeter', 'milk_meter'],
  ['temperatures', 'temperature'],
  ['collars', 'collar'],
  ['feeders', 'feeder'],
  ['gates', 'gate'],
  ['waterers', 'waterer'],
  ['ph_sensor', 'ph'],
  ['flow_sensor', 'flow'],
  ['rfid_readers', 'rfid_reader'],
  ['gateways', 'gateway'],
]);

/** A device type by its canonical name or one of the documents' spellings. */
export function toDeviceType(word: string): DeviceType | undefined {
  return (deviceTypes as readonly string[]).includes(word) ? (word as DeviceType) : aliases.get(word);
}

/** Whether a farm code or device uid has a shape that topics can carry. */
export const isName = (word: string) => namePattern.test(word);

/** The canonical topic of an address. */
export function buildTopic(address: TopicAddress): string {
  return `dairy/${address.farm}/${address.deviceType}/${address.deviceUid}/${address.messageType}`;
}
