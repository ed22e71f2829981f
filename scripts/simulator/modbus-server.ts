// A Modbus TCP server with many units behind one port, and faults on demand. Reads of input registers only.
import { createServer, type Server, type Socket } from 'node:net';

/** What happens to one request; `delayMs` of an answer may exceed the client's patience. */
export type Fate = { kind: 'answer'; delayMs: number } | { kind: 'silent' } | { kind: 'garbage' };

export interface ModbusServerOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** All registers of a unit; undefined for a unit that does not exist: it never answers. */
  registers: (unit: number) => number[] | undefined;
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
  let requests = 0;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      // A frame may come in pieces, or several in one piece.
      while (received.length >= headerLength) {
        const end = 6 + received.readUInt16BE(4);
        if (received.length < end) break;
        serve(socket, received.subarray(0, end), options, requests++);
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

function serve(socket: Socket, frame: Buffer, options: ModbusServerOptions, request: number): void {
  const unit = frame.readUInt8(6);
  const registers = options.registers(unit);
  const fate = options.fate(unit, request);
  if (registers === undefined || fate.kind === 'silent') return;
  const pdu =
    fate.kind === 'garbage' ? Buffer.from([0x04, 0x63, 0xde, 0xad, 0xbe]) : answer(frame, registers);
  const header = Buffer.alloc(headerLength);
  frame.copy(header, 0, 0, 4);
  header.writeUInt16BE(pdu.length + 1, 4);
  header.writeUInt8(unit, 6);
  const send = () => {
    if (socket.writable) socket.write(Buffer.concat([header, pdu]));
  };
  if (fate.kind === 'answer' && fate.delayMs > 0) setTimeout(send, fate.delayMs).unref();
  else send();
}

/** The answer's PDU: the registers, or an exception (1 illegal function, 2 illegal address, 3 illegal value). */
function answer(frame: Buffer, registers: readonly number[]): Buffer {
  const code = frame[7] ?? 0;
  const exception = (reason: number) => Buffer.from([code | 0x80, reason]);
  if (code !== 4) return exception(1);
  if (frame.length < 12) return exception(3);
  const [start, count] = [frame.readUInt16BE(8), frame.readUInt16BE(10)];
  if (count < 1 || count > 125) return exception(3);
  if (start + count > registers.length) return exception(2);
  const pdu = Buffer.alloc(2 + 2 * count);
  pdu.writeUInt8(code, 0);
  pdu.writeUInt8(2 * count, 1);
  registers.slice(start, start + count).forEach((word, index) => pdu.writeUInt16BE(word, 2 + 2 * index));
  return pdu;
}
