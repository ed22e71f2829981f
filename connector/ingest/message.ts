// A message on its way in, whatever brought it.

/** `settle` is called exactly once, when the message's effects are durable (or it is a dead letter). */
export interface IncomingMessage {
  topic: string;
  payload: Uint8Array;
  /** Epoch ms. */
  arrivedAt: number;
  /** MQTT client and packet id of a QoS 1 message: the same again when it is redelivered. */
  origin: string | undefined;
  /** The broker says that it may have sent this before. */
  redelivered: boolean;
  settle: () => void;
}
