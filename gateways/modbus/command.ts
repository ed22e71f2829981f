// One command to a Modbus device: look it up in the profile, write, read back.
import type { Command } from '../../contract/commands.ts';
import { nearMatch } from '../../contract/near-match.ts';
import type { Outcome } from '../shared/protocol.ts';
import { priority, type Bus } from './bus.ts';
import { decodeRegister, encodeRegister } from './decode.ts';
import { placeRegister } from './plan.ts';
import type { DeviceSettings } from './settings.ts';

/** Executes on the device's bus, before any waiting poll. Rejects with AppError `transient` when the bus or device does not answer. */
export async function executeCommand(
  { unit, map }: Pick<DeviceSettings, 'unit' | 'map'>,
  bus: Bus,
  { command: name, value: given }: Command,
  signal: AbortSignal,
): Promise<Outcome> {
  const command = map.commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const names = map.commands.map((candidate) => candidate.name);
    const near = nearMatch(name, names);
    const known = names.length === 0 ? 'this device takes none' : `known: ${names.join(', ')}`;
    return reject(`there is no command '${name}'; ${near === undefined ? known : `did you mean '${near}'?`}`);
  }
  const value = command.value ?? given;
  if (command.value !== undefined && given !== undefined && given !== command.value)
    return reject(`command '${name}' takes no value`);
  if (typeof value !== 'number' && typeof value !== 'boolean')
    return reject(`command '${name}' needs a number or true/false as value`);
  if (Number(value) < (command.min ?? -Infinity) || Number(value) > (command.max ?? Infinity))
    return reject(`value ${value} is outside ${command.min ?? '…'} to ${command.max ?? '…'}`);
  const definition = map.registers.find((register) => register.name === command.register);
  if (definition === undefined) return reject(`the profile has no register '${command.register}'`);
  const order = definition.word_order ?? map.word_order;
  const words = encodeRegister(definition, value, order);
  if (typeof words === 'string') return reject(words);

  const block = placeRegister(map, definition);
  const back = await bus.run(priority.command, async (line) => {
    await line.write(unit, block, words, signal);
    return command.read_back ? line.read(unit, block) : words;
  });
  if (!command.read_back) return { result: 'done' };
  const shown = decodeRegister(definition, back, order);
  const seen = shown === undefined ? {} : { value: shown };
  return back.every((word, index) => word === words[index])
    ? { result: 'done', ...seen }
    : { result: 'failed', detail: 'the device shows another value after the write', ...seen };
}

const reject = (detail: string): Outcome => ({ result: 'rejected', detail });
