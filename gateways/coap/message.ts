// CoAP messages (RFC 7252, section 3): bytes to requests and answers to bytes. Pure.

/** Kinds of message: a confirmable one wants an acknowledgement. */
export const kinds = { confirmable: 0, nonConfirmable: 1, acknowledgement: 2, reset: 3 } as const;

export interface CoapRequest {
  kind: number;
  /** Class and detail, 0x02 is POST; 0 is an empty message. */
  code: number;
  id: number;
  token: Uint8Array;
  path: string[];
  query: string[];
  payload: Uint8Array;
  /** Number of a critical option that is not understood here. */
  badOption: number | undefined;
}

export const post = 0x02;
const options = { uriHost: 3, uriPort: 7, uriPath: 11, uriQuery: 15, accept: 17 } as const;
const understood: readonly number[] = Object.values(options);

/** Parses a datagram; undefined when it is no CoAP message, which is answered with silence. */
export function parseMessage(bytes: Uint8Array): CoapRequest | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4 || view.getUint8(0) >> 6 !== 1) return undefined;
  const tokenLength = view.getUint8(0) & 0x0f;
  const message: CoapRequest = {
    kind: (view.getUint8(0) >> 4) & 3,
    code: view.getUint8(1),
    id: view.getUint16(2),
    token: bytes.subarray(4, 4 + tokenLength),
    path: [],
    query: [],
    payload: new Uint8Array(),
    badOption: undefined,
  };
  if (tokenLength > 8 || bytes.length < 4 + tokenLength) return undefined;
  let at = 4 + tokenLength;
  let number = 0;
  while (at < bytes.length) {
    const head = view.getUint8(at++);
    if (head === 0xff) {
      // A marker with nothing behind it is a format error.
      if (at === bytes.length) return undefined;
      return { ...message, payload: bytes.subarray(at) };
    }
    const delta = extended(view, at, head >> 4);
    if (delta === undefined) return undefined;
    const length = extended(view, delta.next, head & 0x0f);
    if (length === undefined || length.next + length.value > bytes.length) return undefined;
    number += delta.value;
    const value = bytes.subarray(length.next, length.next + length.value);
    if (number === options.uriPath) message.path.push(new TextDecoder().decode(value));
    else if (number === options.uriQuery) message.query.push(new TextDecoder().decode(value));
    else if (number % 2 === 1 && !understood.includes(number)) message.badOption ??= number;
    at = length.next + length.value;
  }
  return message;
}

/** A delta or length: up to 12 in the nibble, else in one or two bytes that follow; 15 is reserved. */
function extended(view: DataView, at: number, nibble: number): { value: number; next: number } | undefined {
  if (nibble < 13) return { value: nibble, next: at };
  if (nibble === 13)
    return at + 1 > view.byteLength ? undefined : { value: view.getUint8(at) + 13, next: at + 1 };
  if (nibble === 15 || at + 2 > view.byteLength) return undefined;
  return { value: view.getUint16(at) + 269, next: at + 2 };
}

/** An answer without options; `code` as in `4.01`, '0.00' for an empty message. */
export function encodeMessage({
  kind,
  code,
  id,
  token,
  text,
}: {
  kind: number;
  code: string;
  id: number;
  token: Uint8Array;
  text: string;
}): Buffer {
  const [group = 0, detail = 0] = code.split('.').map(Number);
  const head = Buffer.from([0x40 | (kind << 4) | token.length, (group << 5) | detail, id >> 8, id & 0xff]);
  const payload = text === '' ? [] : [Buffer.from([0xff]), Buffer.from(text)];
  return Buffer.concat([head, token, ...payload]);
}
