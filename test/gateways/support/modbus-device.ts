// A Modbus TCP device to write to: the server of modbus-serial, which counts connections and remembers what was written.
import type { Server } from 'node:net';
import { once } from 'node:events';
import modbus from 'modbus-serial';
import { freePort } from '../../support/free-port.ts';

export interface ModbusDevice {
  port: number;
  /** Values by `unit/address`; a value that nobody has set is 0. */
  holding: Map<string, number>;
  coils: Map<string, boolean>;
  /** What was written, in order, as `unit/address=value`. */
  writes: string[];
  /** Requests by unit. */
  requests: Map<number, number>;
  connections: () => number;
  /** Units that do not answer any more. */
  silent: Set<number>;
  close(): Promise<void>;
}

/** Starts it on 127.0.0.1; all units exist. Input registers show what the holding registers have. */
export async function startModbusDevice(): Promise<ModbusDevice> {
  const port = await freePort();
  const holding = new Map<string, number>();
  const coils = new Map<string, boolean>();
  const writes: string[] = [];
  const requests = new Map<number, number>();
  const silent = new Set<number>();
  let connections = 0;
  const never = new Promise<never>(() => undefined);
  const answer = async <T>(unit: number, value: () => T): Promise<T> => {
    requests.set(unit, (requests.get(unit) ?? 0) + 1);
    return silent.has(unit) ? never : value();
  };
  const word = (address: number, unit: number) => answer(unit, () => holding.get(`${unit}/${address}`) ?? 0);
  const bit = (address: number, unit: number) => answer(unit, () => coils.get(`${unit}/${address}`) ?? false);
  const server = new modbus.ServerTCP(
    {
      getHoldingRegister: word,
      getInputRegister: word,
      getCoil: bit,
      getDiscreteInput: bit,
      setRegister: (address: number, value: number, unit: number) =>
        answer(unit, () => {
          writes.push(`${unit}/${address}=${value}`);
          holding.set(`${unit}/${address}`, value);
        }),
      setCoil: (address: number, value: boolean, unit: number) =>
        answer(unit, () => {
          writes.push(`${unit}/${address}=${value}`);
          coils.set(`${unit}/${address}`, value);
        }),
    },
    // Any unit id: the documented way is the broadcast address.
    { host: '127.0.0.1', port, unitID: 255 },
  );
  // The library has no event for connections.
  (server as unknown as { _server: Server })._server.on('connection', () => (connections += 1));
  await once(server, 'initialized');
  return {
    port,
    holding,
    coils,
    writes,
    requests,
    connections: () => connections,
    silent,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
