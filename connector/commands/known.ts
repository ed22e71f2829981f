// What a device's profile says of its commands: what they take, and within which range. Pure.
import type { Profile } from '../../contract/profile.ts';
import type { CommandValue } from '../db/commands.ts';

/** What a form may offer for a device of this profile: Modbus writes and LoRaWAN downlinks, with what they take. */
export function knownCommands(profile: Profile | undefined) {
  const { modbus, lorawan } = profile ?? {};
  const writes = (modbus?.commands ?? []).map(({ name, value, min, max, register }) => ({
    name,
    takes_value: value === undefined,
    min: min ?? null,
    max: max ?? null,
    unit: modbus?.registers.find((candidate) => candidate.name === register)?.unit ?? null,
    description: null,
  }));
  const downlinks = (lorawan?.commands ?? []).map(({ name, min, max, description }) => ({
    name,
    takes_value: min !== undefined,
    min: min ?? null,
    max: max ?? null,
    unit: null,
    description,
  }));
  return [...writes, ...downlinks, ...(lorawan === undefined ? [] : [anyDownlink])];
}

/** What the LoRaWAN gateway takes for every device. */
const anyDownlink = {
  name: 'downlink',
  takes_value: true,
  min: null,
  max: null,
  unit: null,
  description: 'Any payload: fPort and bytes in hexadecimal, such as 10:011e',
};

/** What is wrong with a value by the profile of its device; undefined when nothing is, or the profile does not say. */
export function valueProblem(
  profile: Profile | undefined,
  command: string,
  value: CommandValue | undefined,
): string | undefined {
  const known = knownCommands(profile).find(({ name }) => name === command);
  if (known?.takes_value !== true || (known.min === null && known.max === null)) return undefined;
  const low = known.min ?? -Infinity;
  const high = known.max ?? Infinity;
  if (typeof value === 'number' && value >= low && value <= high) return undefined;
  const range = `${known.min ?? '…'} to ${known.max ?? '…'}${known.unit === null ? '' : ` ${known.unit}`}`;
  return `${command} takes a number within ${range}, not ${value === undefined ? 'nothing' : JSON.stringify(value)}`;
}
