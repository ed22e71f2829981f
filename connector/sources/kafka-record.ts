// A message as a record of the log and back. No I/O.
import type { LogEntry, LogRecord } from './kafka-client.ts';
import type { IncomingMessage } from './message.ts';

/** Topics of the log, as the customer's documents name them. */
export const logTopics = {
  raw: 'iot.sensor.raw',
  processed: 'iot.sensor.processed',
  anomalies: 'iot.anomalies',
} as const;

/**
 * The record of a message from the broker. `key` decides the partition and with it the order. A payload above `maxBytes`
 * is cut just above it: it will be a dead letter anyway, and the log takes no more than about 1 MB.
 */
export function toEntry(message: IncomingMessage, key: string, at: number, maxBytes: number): LogEntry {
  const { topic, payload, origin, redelivered, retained } = message;
  return {
    topic: logTopics.raw,
    key,
    value: payload.length > maxBytes ? payload.subarray(0, maxBytes + 1) : payload,
    timestamp: at,
    headers: {
      topic,
      ...(origin === undefined ? {} : { origin }),
      ...(redelivered ? { redelivered: '1' } : {}),
      ...(retained === true ? { retained: '1' } : {}),
    },
  };
}

/**
 * The message of a record. It keeps the moment that it got when it was appended, however often it is read: a message
 * without a time of its own is stored under the same one again. The origin is that of the broker, within the partition:
 * so a message that the broker sent twice is known in the log too.
 */
export function fromRecord(record: LogRecord, settle: IncomingMessage['settle']): IncomingMessage {
  const origin = record.headers.get('origin');
  return {
    topic: record.headers.get('topic') ?? logTopics.raw,
    payload: record.value,
    arrivedAt: record.timestamp,
    stampedAt: record.timestamp,
    origin: origin === undefined ? undefined : `${origin}@${record.partition}`,
    redelivered: record.headers.has('redelivered'),
    retained: record.headers.has('retained'),
    settle,
  };
}
