// Hands messages to the intake and waits for their commit: for REST, which answers with what became of each row.
import { within } from '../../contract/deadline.ts';
import { AppError } from '../../contract/errors.ts';
import { buildTopic } from '../../contract/topics.ts';
import { decodeRows, type DeviceRows, type RowContext } from '../decode/rows.ts';
import type { Intake } from './intake.ts';
import type { IncomingMessage, Outcome } from '../sources/message.ts';

/** The way in for REST. */
export interface IngestPort {
  intake: Pick<Intake, 'push' | 'isFull'>;
  rows: RowContext;
}

/** What became of a row. */
export type RowResult =
  | { status: 'accepted' }
  | { status: 'duplicate' }
  | { status: 'conflict'; reason: string }
  | { status: 'rejected'; reason: string };

/** Topic of dead letters that are single rows of the REST API. */
export const rowTopic = 'api/v1/ingest/sensor';

const commitPatienceMs = 30_000;
const accepted: RowResult = { status: 'accepted' };
const duplicate: RowResult = { status: 'duplicate' };
const conflict: RowResult = {
  status: 'conflict',
  reason: 'this device, metric and moment has another value; the larger of the two is kept',
};

/** Submits one message. Throws AppError `transient` when the intake is full or the commit does not come. */
export async function submit(
  { intake }: IngestPort,
  message: Pick<IncomingMessage, 'topic' | 'payload' | 'arrivedAt' | 'decoded' | 'deadLetterId'>,
): Promise<Outcome> {
  if (intake.isFull())
    throw new AppError(
      'transient',
      'more is waiting than the database keeps up with; send it again in a while',
    );
  return patiently(pushed(intake, message));
}

/** Submits rows; results are in the rows' order. Rows that cannot be taken become dead letters. */
export async function submitRows(
  { intake, rows: context }: IngestPort,
  rows: readonly unknown[],
  arrivedAt: number,
): Promise<RowResult[]> {
  if (intake.isFull())
    throw new AppError(
      'transient',
      'more is waiting than the database keeps up with; send it again in a while',
    );
  const { devices, rejected } = decodeRows(rows, arrivedAt, context);
  const results = new Array<RowResult>(rows.length).fill(accepted);
  const waiting: Promise<void>[] = devices.map(async (device) => {
    const outcome = await pushed(intake, { ...messageOf(device), arrivedAt });
    if (outcome.kind === 'dead')
      for (const row of device.rowOf)
        if (row >= 0) results[row] = { status: 'rejected', reason: outcome.reason };
    if (outcome.kind === 'stored') {
      for (const index of outcome.duplicates) {
        const row = device.rowOf[index] ?? -1;
        if (row >= 0) results[row] = duplicate;
      }
      for (const index of outcome.conflicts ?? []) {
        const row = device.rowOf[index] ?? -1;
        if (row >= 0) results[row] = conflict;
      }
      for (const [index, reason] of outcome.refused ?? []) {
        const row = device.rowOf[index] ?? -1;
        if (row >= 0) results[row] = { status: 'rejected', reason };
      }
    }
  });
  for (const [index, reason] of rejected) {
    results[index] = { status: 'rejected', reason };
    const payload = Buffer.from(jsonOf(rows[index]));
    waiting.push(
      pushed(intake, { topic: rowTopic, payload, arrivedAt, decoded: { kind: 'dead', reason } }).then(
        () => undefined,
      ),
    );
  }
  await patiently(Promise.all(waiting));
  return results;
}

/** A row as it came. */
function jsonOf(row: unknown): string {
  try {
    return JSON.stringify(row);
  } catch (error) {
    if (error instanceof RangeError) return JSON.stringify('a row that is nested too deep to be kept');
    throw error;
  }
}

/** The message of a device's rows, decoded beforehand: nothing is written as JSON only to be read again. */
export function messageOf({
  address,
  at,
  saidAt,
  points,
}: DeviceRows): Pick<IncomingMessage, 'topic' | 'payload' | 'decoded'> {
  const data = {
    at,
    ...(saidAt === undefined ? {} : { saidAt }),
    points,
    rfid: undefined,
    animalRef: undefined,
    session: undefined,
    stall: undefined,
    profile: undefined,
  };
  return { topic: buildTopic(address), payload: nothing, decoded: { kind: 'data', address, data } };
}

const nothing = new Uint8Array();

function pushed(
  intake: Pick<Intake, 'push'>,
  message: Omit<IncomingMessage, 'origin' | 'redelivered' | 'settle'>,
): Promise<Outcome> {
  return new Promise((settle) => intake.push({ ...message, origin: undefined, redelivered: false, settle }));
}

const patiently = <T>(work: Promise<T>): Promise<T> =>
  within(commitPatienceMs, work, () => {
    const reason =
      'the database has not confirmed yet; send the same again, what is stored twice counts once';
    throw new AppError('transient', reason);
  });
