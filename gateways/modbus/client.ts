// The modbus-serial library behind plain promises: opens a line, sends one request, says what a rejection means.
import type { EventEmitter } from 'node:events';
import modbus from 'modbus-serial';
import { within } from '../../contract/deadline.ts';
import { AppError } from '../../contract/errors.ts';
import { createEchoFilter } from './echo.ts';
import type { Block } from './plan.ts';
import type { Line } from './settings.ts';

// A CommonJS module: its types know the class as `default`, which the module also sets at run time.
const ModbusClient = modbus.default;
export type ModbusClient = InstanceType<typeof ModbusClient>;

/** Longest wait for a connection: a host that swallows packets would otherwise take minutes. */
const connectTimeoutMs = 5000;

/** Opens the line. Rejects with whatever the system says, or after a few seconds. */
export async function openClient(line: Line): Promise<ModbusClient> {
  const client = new ModbusClient();
  client.on('error', () => undefined);
  try {
    await within(connectTimeoutMs, connect(client, line), () => {
      throw new Error(`no connection within ${connectTimeoutMs} ms`);
    });
    if (line.transport !== 'tcp') skipEcho(client);
    return client;
  } catch (error) {
    closeClient(client, line);
    throw error;
  }
}

function connect(client: ModbusClient, line: Line): Promise<void> {
  switch (line.transport) {
    case 'tcp':
      return client.connectTCP(line.host, { port: line.port });
    case 'rtu_tcp':
      // The library's "TcpRTUBuffered" sends TCP headers; plain RTU frames over TCP are its "Telnet".
      return client.connectTelnet(line.host, { port: line.port });
    case 'rtu': {
      const { path, baudRate, dataBits, parity, stopBits } = line;
      return client.connectRTUBuffered(path, { baudRate, dataBits, parity, stopBits });
    }
  }
}

/** Ends the connection at once; answers that arrive from now on belong to nobody. */
export function closeClient(client: ModbusClient, line: Line): void {
  // A serial port of the library can only be closed, not destroyed.
  if (line.transport === 'rtu' && client.isOpen) client.close(() => undefined);
  else client.destroy(() => undefined);
}

/** What is behind the library's client: its port, with the socket or serial line below. */
interface Port {
  _buffer?: Buffer;
  _client?: EventEmitter;
  write(frame: Buffer): void;
}
const portOf = (client: ModbusClient) => (client as unknown as { _port?: Port })._port;

/** Tells when the connection has ended, whoever ended it. The library itself says nothing after a reset. */
export function onEnded(client: ModbusClient, listener: () => void): void {
  portOf(client)?._client?.once('close', listener);
}

/** Takes out of what an RTU line brings what its adapter has heard of ourselves. */
function skipEcho(client: ModbusClient): void {
  const port = portOf(client);
  const line = port?._client;
  const [onData] = line?.listeners('data') ?? [];
  if (port === undefined || line === undefined || onData === undefined)
    throw new AppError('bug', 'modbus-serial has changed: its RTU port has no line');
  const filter = createEchoFilter();
  const write = port.write.bind(port);
  port.write = (frame) => {
    filter.sent(frame);
    write(frame);
  };
  line.removeListener('data', onData as (bytes: Buffer) => void);
  const onBytes = (bytes: Buffer) => {
    const rest = filter.received(bytes);
    if (rest.length > 0) onData.call(line, Buffer.from(rest));
  };
  line.on('data', (bytes: Buffer) => onBytes(bytes));
}

/**
 * Forgets what came in unasked. RTU frames have no number: a late answer that stayed in the library's buffer would be taken
 * for the answer to the next request to the same unit, and so on for ever.
 */
export function discardInput(client: ModbusClient): void {
  const port = portOf(client);
  if (port?._buffer !== undefined && port._buffer.length > 0) port._buffer = Buffer.alloc(0);
}

type Place = Pick<Block, 'table' | 'start' | 'length'>;

/** Reads words, or the 0/1 of bits. The unit id is state of the client, so setting it and sending are one synchronous turn. */
export async function sendRead(
  client: ModbusClient,
  unit: number,
  { table, start, length }: Place,
): Promise<number[]> {
  client.setID(unit);
  switch (table) {
    case 'holding':
      return (await client.readHoldingRegisters(start, length)).data;
    case 'input':
      return (await client.readInputRegisters(start, length)).data;
    case 'coil':
      return (await client.readCoils(start, length)).data.slice(0, length).map(Number);
    case 'discrete':
      return (await client.readDiscreteInputs(start, length)).data.slice(0, length).map(Number);
  }
}

/** Writes words, or the 0/1 of coils. */
export async function sendWrite(
  client: ModbusClient,
  unit: number,
  { table, start }: Place,
  words: readonly number[],
): Promise<void> {
  client.setID(unit);
  const [first = 0] = words;
  if (table === 'coil') await client.writeCoil(start, first !== 0);
  else if (table !== 'holding') throw new AppError('bug', `table ${table} cannot be written`);
  else if (words.length === 1) await client.writeRegister(start, first);
  else await client.writeRegisters(start, [...words]);
}

/** `refused` carries the exception code. */
export type Fault = { kind: 'refused'; code: number } | { kind: 'timeout' | 'closed' | 'frame' };

/** What a rejection of modbus-serial means; its timeouts and closed ports are plain objects. */
export function faultOf(thrown: unknown): Fault {
  const { name, modbusCode } = (thrown ?? {}) as { name?: unknown; modbusCode?: unknown };
  if (typeof modbusCode === 'number') return { kind: 'refused', code: modbusCode };
  if (name === 'TransactionTimedOutError') return { kind: 'timeout' };
  return { kind: name === 'PortNotOpenError' ? 'closed' : 'frame' };
}
