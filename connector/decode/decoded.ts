// What a data message means, whatever it looked like on the wire.

/** One measured value in the catalogue's unit. `time` in epoch ms, `quality` as in contract/envelope.ts. */
export interface DecodedPoint {
  metric: string;
  time: number;
  value: number;
  quality: number;
  /** Where the time is NaN: so long before the message's moment. */
  ageMs?: number;
}

export type SessionEvent = 'start' | 'reading' | 'end' | 'record';

/** A data message after decoding. */
export interface DecodedData {
  /** Epoch ms; undefined when the message carries no time, and the moment of arrival counts. */
  at: number | undefined;
  /** What the device's clock said, epoch ms, where that cannot be and the moment of arrival counts. */
  saidAt?: number;
  /** Fields that could not be read, each with its reason; the rest was taken. */
  unread?: readonly string[];
  points: DecodedPoint[];
  rfid: string | undefined;
  animalRef: string | undefined;
  /** A milking event; without id it belongs to the device's open milking. */
  session: { id: string | undefined; event: SessionEvent; revision?: number | undefined } | undefined;
  /** The sender's own id of the message. */
  messageId?: string | undefined;
  stall: string | undefined;
  /** Name of the profile that mapped it; undefined for envelope v1. */
  profile: string | undefined;
}
