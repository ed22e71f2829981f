// A Modbus TCP server with many units behind one port, and faults on demand. Reads only.
import { createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to one request. `delayMs` of an answer may exceed the client's patience; `flipped` turns over these bits of the
 * frame; `half_open`: nothing comes from this connection any more, and nobody closes it.
 */
export type Fate =
  | { kind: 'answer'; delayMs: number }
  | { kind: 'silent' | 'garbage' | 'wrong_unit' | 'half_open' }
  | { kind: 'exception'; code: number }
  | { kind: 'flipped'; bits: readonly number[] };

export interface ModbusServerOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** All input registers of a unit; undefined for a unit that does not exist: it never answers. */
  registers: (unit: number) => readonly number[] | undefined;
  /** Its coils (1), discrete inputs (2) and holding registers (3), by function code, where it has any. */
  others?: (unit: number) => Readonly<Partial<Record<number, readonly number[]>>>;
  /** `request`: 0, 1, 2, … at this unit. */
  fate: (unit: number, request: number) => Fate;
}

export interface ModbusServer {
  port: number;
  close(): Promise<void>;
}

const headerLength = 7;

/** Starts to listen. Rejects when the port is taken. */
export async function startModbusServer(options: ModbusServerOptions): Promise<ModbusServer> {
  const sockets = new Set<Socket>();
  const dead = new WeakSet<Socket>();
  const requests = new Map<number, number>();
  const take = (socket: Socket, frame: Buffer) => {
    if (dead.has(socket)) return;
    const unit = frame[6] ?? 0;
    const request = requests.get(unit) ?? 0;
    requests.set(unit, request + 1);
    const fate = options.fate(unit, request);
    if (fate.kind === 'half_open') dead.add(socket);
    const bytes = answerTo(frame, options, fate);
    if (bytes === undefined) return;
    const send = () => {
      if (socket.writable && !dead.has(socket)) socket.write(bytes);
    };
    if (fate.kind === 'answer' && fate.delayMs > 0) setTimeout(send, fate.delayMs).unref();
    else send();
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      // A frame may come in pieces, or several in one piece.
      while (received.length >= headerLength) {
        const end = 6 + received.readUInt16BE(4);
        if (received.length < end) break;
        take(socket, received.subarray(0, end));
        received = received.subarray(end);
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** The frame that answers a frame; undefined for silence. */
function answerTo(frame: Buffer, options: ModbusServerOptions, fate: Fate): Buffer | undefined {
  const unit = frame.readUInt8(6);
  const registers = options.registers(unit);
  if (registers === undefined || fate.kind === 'silent' || fate.kind === 'half_open') return undefined;
  const tables = { ...options.others?.(unit), 4: registers };
  const pdu =
    fate.kind === 'garbage'
      ? Buffer.from([0x04, 0x63, 0xde, 0xad, 0xbe])
      : fate.kind === 'exception'
        ? Buffer.from([(frame[7] ?? 0) | 0x80, fate.code])
        : answer(frame, tables);
  const header = Buffer.alloc(headerLength);
  frame.copy(header, 0, 0, 4);
  header.writeUInt16BE(pdu.length + 1, 4);
  header.writeUInt8(fate.kind === 'wrong_unit' ? (unit % 247) + 1 : unit, 6);
  const whole = Buffer.concat([header, pdu]);
  if (fate.kind === 'flipped')
    for (const bit of fate.bits) whole[bit >> 3] = (whole[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return whole;
}

/** The answer's PDU: the registers, or an exception (1 illegal function, 2 illegal address, 3 illegal value). */
function answer(frame: Buffer, tables: Readonly<Partial<Record<number, readonly number[]>>>): Buffer {
  const code = frame[7] ?? 0;
  const exception = (reason: number) => Buffer.from([code | 0x80, reason]);
  const values = tables[code];
  if (values === undefined) return exception(1);
  if (frame.length < 12) return exception(3);
  const [start, count] = [frame.readUInt16BE(8), frame.readUInt16BE(10)];
  if (count < 1 || count > 125) return exception(3);
  if (start + count > values.length) return exception(2);
  if (code <= 2) return bits(code, values.slice(start, start + count));
  const pdu = Buffer.alloc(2 + 2 * count);
  pdu.writeUInt8(code, 0);
  pdu.writeUInt8(2 * count, 1);
  values.slice(start, start + count).forEach((word, index) => pdu.writeUInt16BE(word, 2 + 2 * index));
  return pdu;
}

/** Eight to a byte, the first one lowest. */
function bits(code: number, values: readonly number[]): Buffer {
  const pdu = Buffer.alloc(2 + Math.ceil(values.length / 8));
  pdu.writeUInt8(code, 0);
  pdu.writeUInt8(pdu.length - 2, 1);
  values.forEach((value, index) => {
    const at = 2 + (index >> 3);
    pdu.writeUInt8(pdu.readUInt8(at) | (value << (index & 7)), at);
  });
  return pdu;
}
