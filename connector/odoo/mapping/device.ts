// A device as iot.device takes it.
import { deviceRecordSchema, type DeviceRecord } from '../../../contract/records.ts';
import { recordKind } from './kind.ts';
import { toOdooDatetime } from './values.ts';

/** Keys are field names of iot.device; farm is the farm's code. */
function deviceToOdoo(record: DeviceRecord) {
  return {
    farm: record.farm,
    device_uid: record.device_uid,
    device_type: record.device_type,
    name: record.name,
    profile: record.profile,
    manufacturer: record.manufacturer,
    model: record.model,
    stall: record.stall,
    state: record.state,
    first_seen: toOdooDatetime(record.first_seen),
    last_seen: toOdooDatetime(record.last_seen),
  };
}

export const device = recordKind({
  kind: 'device',
  schema: deviceRecordSchema,
  model: 'iot.device',
  toOdoo: deviceToOdoo,
  compare: { by: 'record' },
  live: null,
});
