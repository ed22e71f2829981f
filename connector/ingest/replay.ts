// Dead letters through the pipeline once more, after a profile or the catalogue was mended.
import type { StoredLetter } from '../db/dead-letters.ts';
import { decodeRows } from '../decode/rows.ts';
import { whyDead } from '../sources/message.ts';
import { messageOf, rowTopic, submit, type IngestPort } from './submit.ts';

/** What became of a replayed dead letter: taken, dead still, or not tried at all. */
export interface ReplayResult {
  id: number;
  status: 'taken' | 'dead' | 'rejected';
  reason?: string;
}

/** Replays dead letters as if they arrived when they first did. */
export function replay(port: IngestPort, letters: readonly StoredLetter[]): Promise<ReplayResult[]> {
  return Promise.all(letters.map((letter) => replayOne(port, letter)));
}

async function replayOne(port: IngestPort, letter: StoredLetter): Promise<ReplayResult> {
  const { id, topic, payload, payloadSize, replayedAt } = letter;
  if (replayedAt !== null)
    return { id, status: 'rejected', reason: `was taken on ${replayedAt.toISOString()} already` };
  if (payload.length < payloadSize)
    return {
      id,
      status: 'rejected',
      reason: `only ${payload.length} of its ${payloadSize} bytes are kept; the device has to send it again`,
    };
  const arrivedAt = letter.receivedAt.getTime();
  const known = { arrivedAt, deadLetterId: id };
  const outcome = await submit(
    port,
    topic === rowTopic ? { ...rowMessage(port, payload, arrivedAt), ...known } : { topic, payload, ...known },
  );
  const reason = whyDead(outcome);
  return reason === undefined ? { id, status: 'taken' } : { id, status: 'dead', reason };
}

/** A single row that REST took down. */
function rowMessage(port: IngestPort, payload: Buffer, arrivedAt: number) {
  const { devices, rejected } = decodeRows([JSON.parse(payload.toString('utf8'))], arrivedAt, port.rows);
  const [device] = devices;
  if (device !== undefined) return messageOf(device);
  const reason = rejected.get(0) ?? 'nothing in it';
  return { topic: rowTopic, payload, decoded: { kind: 'dead' as const, reason } };
}
