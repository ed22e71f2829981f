// Commands from the broker to devices: checked, executed once, in order per device, answered on `…/status`.
import { commandSchema, type Command, type CommandResult } from '../../contract/commands.ts';
import { within } from '../../contract/deadline.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { firstIssue, safeParse } from '../../contract/safe-parse.ts';
import { buildTopic } from '../../contract/topics.ts';
import type { Clock } from './clock.ts';
import type { Link } from './link.ts';
import type { Outlet } from './outlet.ts';
import type { DeviceAddress, Outcome } from './protocol.ts';
import type { Roster } from './roster.ts';

type Execute = (command: Command, signal: AbortSignal) => Promise<Outcome>;

export interface Commands {
  onCommand(address: DeviceAddress, execute: Execute): () => void;
}

/** Ids of the last commands per device, so that a repeated delivery does not execute twice, across restarts too. */
const rememberedIds = 50;

interface Taker {
  address: DeviceAddress;
  execute: Execute;
}

interface Parts {
  farm: string;
  link: Pick<Link, 'subscribe'>;
  roster: Pick<Roster, 'stateOf'>;
  /** Answers go through the spool: how a command ended is told even when the broker is away at that moment. */
  outlet: Pick<Outlet, 'publish' | 'recall'>;
  clock: Clock;
  logger: Logger;
}

/** Listens on `dairy/{farm}/+/+/commands` and hands each command to its device. */
export function createCommands({ farm, link, roster, outlet, clock, logger }: Parts): Commands {
  const devices = new Map<string, Taker & { queue: Promise<void> }>();

  const answer = async (
    address: DeviceAddress,
    result: CommandResult,
    remember?: readonly [key: string, value: unknown],
  ) => {
    logger.info({ device: address.deviceUid, ...result }, 'command');
    const { at } = clock.now();
    const detail = result.detail === undefined ? {} : { detail: plain(result.detail) };
    const status = {
      state: roster.stateOf(address) ?? 'online',
      at: new Date(at).toISOString(),
      command: { ...result, ...detail },
    };
    const topic = buildTopic({ ...address, messageType: 'status' });
    await outlet.publish({ topic, payload: JSON.stringify(status), at }, remember);
  };

  /** `deadline` as performance.now() tells it. */
  const run = async (address: DeviceAddress, execute: Execute, command: Command, deadline: number) => {
    const { id, command: name } = command;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) {
      const detail = 'not executed: the commands before it took too long';
      return answer(address, { id, command: name, result: 'timeout', detail });
    }
    const abort = new AbortController();
    const work = Promise.try(execute, command, abort.signal).then(
      (outcome): CommandResult => ({ id, command: name, ...outcome }),
      (error: unknown): CommandResult => ({ id, command: name, result: 'failed', detail: messageOf(error) }),
    );
    const result = await within(leftMs, work, (): CommandResult => {
      abort.abort();
      const detail = `no answer within ${command.timeout_ms} ms; it may or may not have been executed`;
      return { id, command: name, result: 'timeout', detail };
    });
    return answer(address, result);
  };

  /** Answers at once that it is taken or refused. What is left to do when it is its turn; undefined for a repeated one. */
  const admit = ({ address, execute }: Taker, payload: Buffer): (() => Promise<void>) | undefined => {
    const arrivedAt = performance.now();
    const command = parseCommand(payload);
    if (typeof command === 'string') {
      logger.warn({ device: address.deviceUid, reason: command }, 'command not understood');
      const told = answer(address, { id: '', command: '', result: 'rejected', detail: command });
      return () => told;
    }
    const key = `commands/${address.deviceType}/${address.deviceUid}`;
    const recalled = outlet.recall(key);
    const ids = Array.isArray(recalled) ? (recalled as unknown[]) : [];
    const { id, command: name } = command;
    if (ids.includes(id)) return undefined;
    const remember = [key, [...ids, id].slice(-rememberedIds)] as const;
    const leftMs = timeLeft(command, clock);
    if (leftMs <= 0) {
      const detail = 'came too late: it has expired';
      const told = answer(address, { id, command: name, result: 'rejected', detail }, remember);
      return () => told;
    }
    const stored = answer(address, { id, command: name, result: 'accepted' }, remember);
    return async () => {
      // On the disk before it is executed: whatever happens then, this id is not executed again.
      await stored;
      await run(address, execute, command, arrivedAt + leftMs);
    };
  };

  link.subscribe(`dairy/${farm}/+/+/commands`, (topic, payload) => {
    const device = devices.get(topic);
    // Not ours: another gateway has it, or nobody.
    if (device === undefined) return;
    const work = admit(device, payload);
    if (work !== undefined) device.queue = device.queue.then(work);
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
  const parsed = safeParse(commandSchema, value);
  return parsed.success ? parsed.data : firstIssue(parsed.error, 'command');
}

/** Milliseconds for a command that has just come. Its moment of expiry counts only where the clock is right. */
function timeLeft({ timeout_ms: timeoutMs, expires_at: expiresAt }: Command, clock: Clock): number {
  const { at, isSynchronised } = clock.now();
  if (expiresAt === undefined || !isSynchronised) return timeoutMs;
  return Math.min(timeoutMs, new Date(expiresAt).getTime() - at);
}

/** Text as a status may carry it. */
const plain = (text: string) =>
  text
    .replaceAll(/[\u0000-\u001f]+/g, ' ')
    .slice(0, 1000)
    .toWellFormed();
