// The record of an alert: what its cause says; everything else is empty. Pure.
import type { AlertRecord } from '../../contract/records.ts';

/** What every cause says of its alert, and what only some say. */
export type AlertFacts = Pick<AlertRecord, 'farm' | 'alert_type' | 'severity' | 'message' | 'raised_at'> &
  Partial<
    Pick<AlertRecord, 'device_uid' | 'rfid' | 'milk_session' | 'trigger_value' | 'threshold_value' | 'unit'>
  > & {
    /** What its text takes beside type and values. */
    parameters?: Readonly<Record<string, string>> | undefined;
  };

/** An alert that nobody has looked at. */
export const newAlert = ({ parameters, ...facts }: AlertFacts): AlertRecord => ({
  device_uid: null,
  rfid: null,
  milk_session: null,
  trigger_value: null,
  threshold_value: null,
  unit: null,
  ...facts,
  state: 'new',
  cleared_at: null,
  ...(parameters === undefined ? {} : { parameters: JSON.stringify(parameters) }),
});

/** The same alert, whose cause has gone at `clearedAt` (ISO). */
export const clearedAlert = (alert: AlertRecord, clearedAt: string): AlertRecord => ({
  ...alert,
  state: 'resolved',
  cleared_at: clearedAt,
});
