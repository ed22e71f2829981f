// A command as iot.device.command takes it.
import { commandRecordSchema, type CommandRecord } from '../../../contract/records.ts';
import { recordKind } from './kind.ts';
import { toOdooDatetime } from './values.ts';

/** Keys are field names of iot.device.command; farm and device_uid are natural keys. */
function commandToOdoo(record: CommandRecord) {
  return {
    farm: record.farm,
    device_uid: record.device_uid,
    command: record.command,
    value: record.value,
    state: record.state,
    detail: record.detail,
    result_value: record.result_value,
    requested_at: toOdooDatetime(record.requested_at),
    expires_at: toOdooDatetime(record.expires_at),
    finished_at: toOdooDatetime(record.finished_at),
  };
}

export const command = recordKind({
  kind: 'command',
  schema: commandRecordSchema,
  model: 'iot.device.command',
  toOdoo: commandToOdoo,
  compare: null,
  live: 'command',
});
