// Commands into ChirpStack downlinks.
import { randomUUID } from 'node:crypto';
import type { Command } from '../../contract/commands.ts';
import { nearMatch } from '../../contract/near-match.ts';
import type { Outcome } from '../shared/protocol.ts';
import type { Codec, Downlink } from './codecs/codec.ts';

/** What a command means for a device; a string is why it cannot be sent. `downlink` takes any payload as `fPort:hex`. */
export function toDownlink(codec: Codec | undefined, { command, value }: Command): Downlink | string {
  if (command === 'downlink') return rawDownlink(value);
  const commands = codec?.commands ?? {};
  const known = [...Object.keys(commands), 'downlink'];
  const found = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (found === undefined) {
    const near = nearMatch(command, known);
    return `there is no command '${command}'; ${near === undefined ? `known: ${known.join(', ')}` : `did you mean '${near}'?`}`;
  }
  if (found.range === undefined) return found.encode(0);
  const [min, max] = found.range;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    return `'${command}' needs a whole number from ${min} to ${max} (${found.description})`;
  return found.encode(value);
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
    payload: JSON.stringify({
      id,
      devEui,
      confirmed: true,
      fPort,
      data: Buffer.from(bytes).toString('base64'),
    }),
  };
}

/** It is in ChirpStack's queue; a device that sleeps gets it after its next uplink. */
export const queued = (id: string): Outcome => ({
  result: 'done',
  detail: `queued in ChirpStack as ${id}; goes out after the device's next uplink`,
});
