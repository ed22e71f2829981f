// What changes while the connector starts and runs; health, gauges and routes look here.
import type { Leadership } from '../db/leader.ts';
import type { Check } from '../rest/health.ts';
import type { Intake } from '../ingest/intake.ts';
import type { MqttSource } from '../sources/mqtt-source.ts';
import type { IngestPort } from '../ingest/submit.ts';

/** A part that is not there yet is undefined. */
export interface ConnectorState {
  database: Check;
  intake: Intake | undefined;
  ingest: IngestPort | undefined;
  mqtt: MqttSource | undefined;
  /** Undefined for a member of a group: there all lead. */
  leadership: Leadership | undefined;
}

/** Nothing is there yet. */
export function createState(): ConnectorState {
  return {
    database: { ok: false, detail: 'not asked yet' },
    intake: undefined,
    ingest: undefined,
    mqtt: undefined,
    leadership: undefined,
  };
}
