// Commands into ChirpStack downlinks.
import { randomUUID } from 'node:crypto';
import type { Command } from '../../contract/commands.ts';
import { slotPattern, valueSlots, type LorawanMap } from '../../contract/lorawan.ts';
import { nearMatch } from '../../contract/near-match.ts';
import type { Outcome } from '../shared/protocol.ts';

interface Downlink {
  fPort: number;
  bytes: Buffer;
}

/** What a command means for a device with these commands; a string is why it cannot be sent. `downlink` takes any payload as `fPort:hex`. */
export function toDownlink(
  commands: LorawanMap['commands'],
  { command, value }: Pick<Command, 'command' | 'value'>,
): Downlink | string {
  if (command === 'downlink') return rawDownlink(value);
  const known = [...commands.map(({ name }) => name), 'downlink'];
  const found = commands.find(({ name }) => name === command);
  if (found === undefined) {
    const near = nearMatch(command, known);
    return `there is no command '${command}'; ${near === undefined ? `known: ${known.join(', ')}` : `did you mean '${near}'?`}`;
  }
  const { f_port: fPort, bytes, description, min, max } = found;
  if (min === undefined || max === undefined) return { fPort, bytes: fromHex(bytes) };
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    return `'${command}' needs a whole number from ${min} to ${max} (${description})`;
  return { fPort, bytes: fromHex(bytes.replace(slotPattern, (_, slot: string) => inSlot(slot, value))) };
}

const fromHex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function inSlot(slot: string, value: number): string {
  const width = valueSlots[slot as keyof typeof valueSlots];
  const bytes = Buffer.alloc(width);
  if (slot.endsWith('le')) bytes.writeUIntLE(value, 0, width);
  else bytes.writeUIntBE(value, 0, width);
  return bytes.toString('hex');
}

function rawDownlink(value: Command['value']): Downlink | string {
  const match = /^(\d{1,3}):((?:[0-9a-fA-F]{2}){1,242})$/.exec(typeof value === 'string' ? value : '');
  const fPort = Number(match?.[1]);
  if (match === null || fPort < 1 || fPort > 223)
    return `'downlink' needs a value such as '10:011e': fPort from 1 to 223 and bytes in hexadecimal`;
  return { fPort, bytes: Buffer.from(match[2] ?? '', 'hex') };
}

/** ChirpStack's topic and message for a downlink. */
export function downlinkMessage(applicationId: string, devEui: string, { fPort, bytes }: Downlink) {
  const id = randomUUID();
  return {
    id,
    topic: `application/${applicationId}/device/${devEui}/command/down`,
    payload: JSON.stringify({ id, devEui, confirmed: true, fPort, data: bytes.toString('base64') }),
  };
}

/** It is in ChirpStack's queue; a device that sleeps gets it after its next uplink. */
export const queued = (id: string): Outcome => ({
  result: 'done',
  detail: `queued in ChirpStack as ${id}; goes out after the device's next uplink`,
});
