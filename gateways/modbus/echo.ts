// RS-485 adapters that hear themselves: the request comes back before the answer, and is not the answer. Pure.

export interface EchoFilter {
  /** This request goes out now. */
  sent(frame: Uint8Array): void;
  /** What of the received bytes is not an echo. Bytes that may still become one are held back. */
  received(bytes: Uint8Array): Uint8Array;
  /** Whether the line echoes, as the last request told that can tell. */
  echoes(): boolean;
}

/** Writes of a single register or coil (functions 5 and 6) are answered by the request itself: they do not tell. */
const isAmbiguous = (frame: Uint8Array) => frame[1] === 5 || frame[1] === 6;

/** The bytes of an RTU line without what the adapter has heard of its own. */
export function createEchoFilter(): EchoFilter {
  let request = new Uint8Array();
  let held = new Uint8Array();
  let isAwaited = false;
  let echoes = false;
  return {
    sent: (frame) => {
      request = Uint8Array.from(frame);
      held = new Uint8Array();
      isAwaited = echoes || !isAmbiguous(frame);
    },
    received: (bytes) => {
      if (!isAwaited) return bytes;
      const all = Uint8Array.from([...held, ...bytes]);
      const differs = request.some((byte, index) => index < all.length && all[index] !== byte);
      if (!differs && all.length < request.length) {
        held = all;
        return new Uint8Array();
      }
      isAwaited = false;
      held = new Uint8Array();
      if (!isAmbiguous(request)) echoes = !differs;
      return differs ? all : all.subarray(request.length);
    },
    echoes: () => echoes,
  };
}
