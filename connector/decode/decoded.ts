// What a data message means, whatever it looked like on the wire.

/** One measured value in the catalogue's unit. `time` in epoch ms, `quality` as in contract/envelope.ts. */
export interface DecodedPoint {
  metric: string;
  time: number;
  value: number;
  quality: number;
}

export type SessionEvent = 'start' | 'reading' | 'end' | 'record';

/** A data message after decoding. */
export interface DecodedData {
  /** Epoch ms; undefined when the message carries no time, and the moment of arrival counts. */
  at: number | undefined;
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
