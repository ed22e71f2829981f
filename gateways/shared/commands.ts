// Commands from the broker to devices: checked, executed once, in order per device, answered on `…/status`.
import { commandSchema, type Command, type CommandResult } from '../../contract/commands.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { buildTopic } from '../../contract/topics.ts';
import type { Link } from './mqtt.ts';
import type { DeviceAddress, Outcome } from './protocol.ts';
import type { Roster } from './roster.ts';

type Execute = (command: Command, signal: AbortSignal) => Promise<Outcome>;

export interface Commands {
  onCommand(address: DeviceAddress, execute: Execute): () => void;
}

interface Memory {
  recall(key: string): unknown;
  remember(key: string, value: unknown): void;
}

/** Ids of the last commands per device, so that a repeated delivery does not execute twice, across restarts too. */
const rememberedIds = 50;

/** Listens on `dairy/{farm}/+/+/commands` and hands each command to its device. */
export function createCommands({
  farm,
  link,
  roster,
  memory,
  logger,
}: {
  farm: string;
  link: Link;
  roster: Roster;
  memory: Memory;
  logger: Logger;
}): Commands {
  const devices = new Map<string, { address: DeviceAddress; execute: Execute; queue: Promise<void> }>();

  const answer = (address: DeviceAddress, result: CommandResult) => {
    logger.info({ device: address.deviceUid, ...result }, 'command');
    const state = roster.stateOf(address) ?? 'online';
    const status = { state, at: new Date().toISOString(), command: result };
    link.say(buildTopic({ ...address, messageType: 'status' }), JSON.stringify(status));
  };

  const run = async (address: DeviceAddress, execute: Execute, command: Command) => {
    const { id, command: name } = command;
    const expiresAt = command.expires_at === undefined ? Infinity : new Date(command.expires_at).getTime();
    if (expiresAt < Date.now())
      return answer(address, {
        id,
        command: name,
        result: 'rejected',
        detail: 'came too late: it has expired',
      });
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<CommandResult>((resolve) => {
      timer = setTimeout(() => {
        abort.abort();
        const detail = `no answer within ${command.timeout_ms} ms; it may or may not have been executed`;
        resolve({ id, command: name, result: 'timeout', detail });
      }, command.timeout_ms);
    });
    const work = Promise.try(execute, command, abort.signal).then(
      (outcome): CommandResult => ({ id, command: name, ...outcome }),
      (error: unknown): CommandResult => ({ id, command: name, result: 'failed', detail: messageOf(error) }),
    );
    answer(address, await Promise.race([work, timeout]));
    clearTimeout(timer);
  };

  link.subscribe(`dairy/${farm}/+/+/commands`, (topic, payload) => {
    const device = devices.get(topic);
    // Not ours: another gateway has it, or nobody.
    if (device === undefined) return;
    const { address, execute } = device;
    const command = parseCommand(payload);
    if (typeof command === 'string') {
      logger.warn({ device: address.deviceUid, reason: command }, 'command not understood');
      return answer(address, { id: '', command: '', result: 'rejected', detail: command });
    }
    const key = `commands/${address.deviceType}/${address.deviceUid}`;
    const recalled = memory.recall(key);
    const ids = Array.isArray(recalled) ? (recalled as unknown[]) : [];
    if (ids.includes(command.id)) return;
    memory.remember(key, [...ids, command.id].slice(-rememberedIds));
    answer(address, { id: command.id, command: command.command, result: 'accepted' });
    device.queue = device.queue.then(() => run(address, execute, command));
  });

  return {
    onCommand: (address, execute) => {
      const topic = buildTopic({ ...address, messageType: 'commands' });
      const entry = { address, execute, queue: Promise.resolve() };
      devices.set(topic, entry);
      return () => {
        if (devices.get(topic) === entry) devices.delete(topic);
      };
    },
  };
}

/** A string is the reason why it is none. */
function parseCommand(payload: Buffer): Command | string {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch {
    return 'not JSON';
  }
  const parsed = commandSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a command'}`;
}
