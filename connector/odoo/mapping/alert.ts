// An alert as iot.alert takes it.
import { alertRecordSchema, type AlertRecord } from '../../../contract/records.ts';
import { recordKind } from './kind.ts';
import { toOdooDatetime } from './values.ts';

/** Keys are field names of iot.alert; farm, device_uid, rfid_tag and milk_session (a source_id) are natural keys. */
function alertToOdoo(record: AlertRecord) {
  return {
    farm: record.farm,
    device_uid: record.device_uid,
    rfid_tag: record.rfid,
    milk_session: record.milk_session,
    alert_type: record.alert_type,
    severity: record.severity,
    state: record.state,
    message: record.message,
    trigger_value: record.trigger_value,
    threshold_value: record.threshold_value,
    unit: record.unit,
    raised_at: toOdooDatetime(record.raised_at),
    cleared_at: toOdooDatetime(record.cleared_at),
    // Left out where there are none: an addon of a former version does not know them.
    ...(record.parameters === undefined ? {} : { parameters: record.parameters }),
  };
}

export const alert = recordKind({
  kind: 'alert',
  schema: alertRecordSchema,
  model: 'iot.alert',
  toOdoo: alertToOdoo,
  compare: { by: 'day', at: 'raised_at', sum: null, void: null },
  live: null,
});
