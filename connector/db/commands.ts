// Commands to devices: stored before they are sent, moved on by what the devices say or by time.
import type { CommandState } from '../../contract/commands.ts';
import type { Queryable } from './pool.ts';

/** A value of a command or of its result. */
export type CommandValue = number | string | boolean;

/** A command as it is told to people, Odoo and the live stream. Times are ISO. */
export interface CommandRow {
  request_id: string;
  farm: string;
  device_uid: string;
  command: string;
  value: CommandValue | null;
  state: CommandState;
  detail: string | null;
  result_value: CommandValue | null;
  requested_by: 'odoo' | 'rest';
  requested_at: string;
  expires_at: string;
  finished_at: string | null;
}

/** A command to be stored. */
export interface NewCommand {
  requestId: string;
  deviceId: number;
  command: string;
  value: CommandValue | undefined;
  timeoutMs: number;
  requestedBy: 'odoo' | 'rest';
}

/** What a device said about a command. */
export interface CommandNews {
  requestId: string;
  deviceId: number;
  state: Exclude<CommandState, 'sent'>;
  detail: string | null;
  value: CommandValue | null;
}

const columns = `c.request_id, f.code AS farm, d.device_uid, c.command, c.value, c.state, c.detail, c.result_value,
  c.requested_by, iot.iso(c.requested_at) AS requested_at, iot.iso(c.expires_at) AS expires_at,
  iot.iso(c.finished_at) AS finished_at`;
const named = 'JOIN iot.device d ON d.id = c.device_id JOIN iot.farm f ON f.id = d.farm_id';

const valuesOf = (command: NewCommand) => [
  command.requestId,
  command.deviceId,
  command.command,
  command.value === undefined ? null : JSON.stringify(command.value),
  command.timeoutMs,
  command.requestedBy,
];

/** Stores a command as sent, to end after its time. False when its request id is taken. */
export async function storeCommand(db: Queryable, command: NewCommand): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO iot.command (request_id, device_id, command, value, timeout_ms, requested_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $5::int / 1000.0)) ON CONFLICT DO NOTHING`,
    valuesOf(command),
  );
  return rowCount === 1;
}

/** Whether the stored command of this request id is this very one. */
export async function isSameCommand(db: Queryable, command: NewCommand): Promise<boolean> {
  const { rowCount } = await db.query(
    `SELECT FROM iot.command WHERE request_id = $1 AND device_id = $2 AND command = $3
       AND value IS NOT DISTINCT FROM $4::jsonb AND timeout_ms = $5 AND requested_by = $6`,
    valuesOf(command),
  );
  return rowCount === 1;
}

/** Takes a command back that could not be sent. */
export async function dropCommand(db: Queryable, requestId: string): Promise<void> {
  await db.query('DELETE FROM iot.command WHERE request_id = $1', [requestId]);
}

/** Commands by request id, in no order. */
export async function findCommands(db: Queryable, requestIds: readonly string[]): Promise<CommandRow[]> {
  const { rows } = await db.query<CommandRow>(
    `SELECT ${columns} FROM iot.command c ${named} WHERE c.request_id = ANY ($1)`,
    [requestIds],
  );
  return rows;
}

/** The latest commands of a device, newest first. */
export async function commandsOfDevice(
  db: Queryable,
  deviceId: number,
  limit: number,
): Promise<CommandRow[]> {
  const { rows } = await db.query<CommandRow>(
    `SELECT ${columns} FROM iot.command c ${named} WHERE c.device_id = $1
     ORDER BY c.requested_at DESC, c.request_id LIMIT $2`,
    [deviceId, limit],
  );
  return rows;
}

/** Moves commands on; returns those that changed. No request id twice. */
export async function noteCommandNews(
  client: Queryable,
  news: readonly CommandNews[],
): Promise<CommandRow[]> {
  if (news.length === 0) return [];
  const { rows } = await client.query<CommandRow>(
    `SELECT ${columns} FROM iot.command_told($1::text[], $2::int[], $3::text[], $4::text[], $5::jsonb[]) c ${named}`,
    [
      news.map(({ requestId }) => requestId),
      news.map(({ deviceId }) => deviceId),
      news.map(({ state }) => state),
      news.map(({ detail }) => detail),
      news.map(({ value }) => (value === null ? null : JSON.stringify(value))),
    ],
  );
  return rows;
}

/** Ends what was not answered in time; `graceMs` is for answers under way. */
export async function expireCommands(db: Queryable, graceMs: number): Promise<CommandRow[]> {
  const { rows } = await db.query<CommandRow>(
    `SELECT ${columns} FROM iot.command_expire(make_interval(secs => $1::int / 1000.0)) c ${named}`,
    [graceMs],
  );
  return rows;
}

/** Deletes commands older than `days`. */
export async function purgeCommands(db: Queryable, days: number): Promise<void> {
  await db.query('DELETE FROM iot.command WHERE requested_at < now() - make_interval(days => $1)', [days]);
}
