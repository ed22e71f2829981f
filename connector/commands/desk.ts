// Commands to devices: stored, published once, moved on by the device's answer or ended by time; every change is told.
import { bounded } from '../../contract/runtime/boundary.ts';
import { within } from '../../contract/deadline.ts';
import { AppError, messageOf, UnprocessableError } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Profile } from '../../contract/profile.ts';
import { buildTopic, toDeviceType } from '../../contract/topics.ts';
import {
  dropCommand,
  expireCommands,
  findCommands,
  isSameCommand,
  purgeCommands,
  storeCommand,
  type CommandRow,
  type CommandValue,
} from '../db/commands.ts';
import type { Db } from '../db/pool.ts';
import type { KnownDevice } from '../db/query-devices.ts';
import type { Job } from '../jobs/scheduler.ts';
import { valueProblem } from './known.ts';

/** Publishes with QoS 1. The broker forgets what it could not deliver within `expirySeconds`. */
export type Publish = (topic: string, payload: string, expirySeconds: number) => Promise<void>;

/** A command that somebody asks for. */
export interface CommandOrder {
  /** The same one is the same command: it is sent once. */
  requestId: string;
  device: KnownDevice;
  command: string;
  value: CommandValue | undefined;
  timeoutMs: number;
  requestedBy: CommandRow['requested_by'];
}

/** Where commands are given. */
export interface CommandDesk {
  /**
   * Sends a command, or finds it sent already. Throws UnprocessableError for a device that was refused, a value outside of the range
   * of its profile and a request id that belongs to another command, AppError `transient` without a broker; nothing was sent then.
   */
  send(order: CommandOrder): Promise<CommandRow>;
  jobs: Job[];
  stop(): void;
}

/** What the desk works with. */
export interface CommandContext {
  db: Db;
  publish: () => Publish | undefined;
  profileOf: (name: string) => Profile | undefined;
  /** Commands were sent or have ended without an answer. */
  onChanged: (commands: readonly CommandRow[]) => void;
  logger: Logger;
}

/** Answers may be so late: on their way through the gateway's spool and a batch of the intake. */
const graceMs = 2_000;
/** A broker that does not confirm within this may still deliver; waiting longer helps nobody. */
const confirmMs = 2_000;
const keepDays = 400;

/** Makes the desk. */
export function createCommandDesk({
  db,
  publish,
  profileOf,
  onChanged,
  logger,
}: CommandContext): CommandDesk {
  const timers = new Set<NodeJS.Timeout>();

  const expire = async () => {
    const ended = await expireCommands(db, graceMs);
    for (const { farm, device_uid: device, request_id: id } of ended)
      logger.warn({ device: `${farm}/${device}`, request_id: id }, 'command not answered in time');
    if (ended.length > 0) onChanged(ended);
  };
  /** The job finds it too; this one finds it at once. */
  const expireAfter = (ms: number) => {
    const run = () => {
      timers.delete(timer);
      expire().catch((error: unknown) =>
        logger.warn({ error: messageOf(error) }, 'unanswered commands not ended yet'),
      );
    };
    const timer = setTimeout(bounded(logger, 'end of commands', run), ms);
    timers.add(timer);
  };
  const stored = async (requestId: string): Promise<CommandRow> => {
    const [row] = await findCommands(db, [requestId]);
    if (row === undefined) throw new AppError('transient', 'the command was taken back, try again');
    return row;
  };

  return {
    async send({ requestId, device, command, value, timeoutMs, requestedBy }) {
      const { farm, deviceUid } = device;
      const deviceType = toDeviceType(device.deviceType);
      if (deviceType === undefined || device.state === 'rejected')
        throw new UnprocessableError(
          'device_uid',
          `${farm}/${deviceUid} was refused: accept it in Odoo first`,
        );
      const problem = valueProblem(profileOf(device.profile ?? ''), command, value);
      if (problem !== undefined) throw new UnprocessableError('value', problem);
      const send = publish();
      if (send === undefined) throw new AppError('transient', 'no connection to the MQTT broker');
      const fresh = { requestId, deviceId: device.id, command, value, timeoutMs, requestedBy };
      if (!(await storeCommand(db, fresh))) {
        if (await isSameCommand(db, fresh)) return stored(requestId);
        throw new UnprocessableError(
          'request_id',
          `'${requestId}' belongs to another command: use a new one`,
        );
      }
      const row = await stored(requestId);
      const topic = buildTopic({ farm, deviceType, deviceUid, messageType: 'commands' });
      const message = {
        id: requestId,
        command,
        ...(value === undefined ? {} : { value }),
        timeout_ms: timeoutMs,
        expires_at: row.expires_at,
      };
      try {
        const sent = send(topic, JSON.stringify(message), Math.ceil(timeoutMs / 1000));
        await within(confirmMs, sent, () => undefined);
      } catch (error) {
        await dropCommand(db, requestId);
        throw error;
      }
      logger.info({ topic, command, request_id: requestId, by: requestedBy }, 'command published');
      onChanged([row]);
      expireAfter(timeoutMs + graceMs + 50);
      return row;
    },
    jobs: [
      { name: 'end unanswered commands', cron: '*/10 * * * * *', run: expire },
      { name: 'delete old commands', cron: '0 23 3 * * *', run: () => purgeCommands(db, keepDays) },
    ],
    stop() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
