// A message on its way in, whatever brought it, and what became of it.
import type { Decoded } from '../decode/message.ts';

/** A connection of an MQTT client. Its source counts; one object from the connection's start to its end. */
export interface Connection {
  client: string;
  /** Messages that were delivered for the first time. */
  delivered: number;
  /** When the last one came, epoch ms. */
  heardAt: number;
  /** Most messages that may be unacknowledged at a time (MQTT 5 receive maximum); undefined where it is not known. */
  window: number | undefined;
}

/** `settle` is called exactly once, when the message's effects are durable (or it is a dead letter). */
export interface IncomingMessage {
  topic: string;
  payload: Uint8Array;
  /** Epoch ms. */
  arrivedAt: number;
  /** MQTT client and packet id of a QoS 1 message: the same again when it is redelivered. */
  origin: string | undefined;
  /** The moment (epoch ms) that a log gave it; unique for its device, and the same whenever it is read again. */
  stampedAt?: number;
  /** The broker says that it may have sent this before. */
  redelivered: boolean;
  /** The connection of the QoS 1 message, where there is one. */
  connection?: Connection;
  /** The broker had kept it for whoever subscribes: no news. */
  retained?: boolean;
  /** What a source that knows the meaning itself (REST rows) says instead of the payload, which may be empty then. */
  decoded?: Decoded;
  /** The dead letter that is being replayed; it is marked, and never becomes a second one. */
  deadLetterId?: number;
  settle: (outcome: Outcome) => void;
}

/**
 * What became of a message. `duplicates` are the indexes of its points that were stored before, `conflicts` those of
 * moments that had another value, `refused` those that the database does not take, with its reason; they are dead letters of
 * their own. `refusedTag`: why the tag beside its values counts for no stall; the message is a dead letter for its sake.
 */
export type Outcome =
  | {
      kind: 'stored';
      points: number;
      duplicates: ReadonlySet<number>;
      conflicts?: ReadonlySet<number>;
      refused?: ReadonlyMap<number, string>;
      refusedTag?: string;
      /** All its values were known, and yet it said something new of a milking. */
      changedMilking?: true;
    }
  | { kind: 'ignored' }
  | { kind: 'dead'; reason: string };

/** Why a message is among the dead letters, all of it or the tag beside its values; undefined where it is not. */
export const whyDead = (outcome: Outcome | undefined): string | undefined =>
  outcome?.kind === 'dead' ? outcome.reason : outcome?.kind === 'stored' ? outcome.refusedTag : undefined;

/** Memory that a waiting message holds, in bytes; a point that was decoded beforehand holds about 100. */
export function sizeOf({ payload, decoded }: IncomingMessage): number {
  return payload.length + (decoded?.kind === 'data' ? 100 * decoded.data.points.length : 0);
}
