// One physical Modbus bus: one connection, one request at a time, reconnects by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import modbus from 'modbus-serial';
import PQueue from 'p-queue';
import { AppError, messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { backoffMs } from './backoff.ts';
import type { BusConfig } from './config.ts';
import type { Block, ReadPlan } from './plan.ts';

// A CommonJS module: its types know the class as `default`, which the module also sets at run time.
const ModbusClient = modbus.default;
type ModbusClient = InstanceType<typeof ModbusClient>;

export interface Bus {
  /**
   * Reads the plan's blocks of one unit: one array of words (0/1 for bits) per block.
   * Rejects with AppError `transient`; `busDown` tells trouble of the connection from trouble of the unit.
   */
  read(unit: number, plan: ReadPlan): Promise<number[][]>;
  close(): Promise<void>;
}

/** The connection is down, not the unit: other units are silent for the same reason. */
export class BusDownError extends AppError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('transient', message, options);
    this.name = 'BusDownError';
  }
}

/** Answers missing in a row, from whichever unit, after which the connection itself is suspected. */
const suspectAfter = 5;

type BusOptions = Pick<
  BusConfig,
  'name' | 'host' | 'port' | 'timeoutMs' | 'retryMaxMs' | 'pauseAfterConnectMs'
>;

/** A bus that connects at the first read. */
export function createBus(options: BusOptions, logger: Logger): Bus {
  const queue = new PQueue({ concurrency: 1 });
  let client: ModbusClient | undefined;
  let failures = 0;
  let retryAt = 0;
  let missing = 0;
  let closed = false;

  const disconnect = () => {
    // Read answers that arrive from now on belong to nobody.
    client?.destroy(() => undefined);
    client = undefined;
    missing = 0;
  };

  const connected = async (): Promise<ModbusClient> => {
    if (closed) throw new BusDownError(`bus '${options.name}' is closed`);
    if (client?.isOpen === true) return client;
    if (client !== undefined) {
      disconnect();
      logger.warn({ bus: options.name }, 'bus connection lost');
    }
    const waitMs = retryAt - performance.now();
    if (waitMs > 0) throw new BusDownError(`bus '${options.name}' is not connected`);
    const fresh = new ModbusClient();
    fresh.on('error', () => undefined);
    fresh.setTimeout(options.timeoutMs);
    try {
      await fresh.connectTCP(options.host, { port: options.port });
      if (options.pauseAfterConnectMs > 0) await sleep(options.pauseAfterConnectMs);
    } catch (thrown) {
      fresh.destroy(() => undefined);
      retryAt = performance.now() + backoffMs(failures++, 500, options.retryMaxMs);
      const message = `bus '${options.name}' at ${options.host}:${options.port}: ${messageOf(thrown)}`;
      if (failures === 1)
        logger.warn({ bus: options.name, error: messageOf(thrown) }, 'bus not reachable, trying on');
      throw new BusDownError(message, { cause: thrown });
    }
    failures = 0;
    client = fresh;
    logger.info({ bus: options.name, host: options.host, port: options.port }, 'bus connected');
    return fresh;
  };

  const readBlock = async (unit: number, block: Block): Promise<number[]> => {
    const open = await connected();
    try {
      const answer = await request(open, unit, block);
      missing = 0;
      return answer;
    } catch (thrown) {
      const fault = faultOf(thrown);
      if (fault === 'exception') missing = 0;
      // After a frame that makes no sense nothing later on the stream can be trusted.
      else if (fault === 'frame' || ++missing >= suspectAfter) disconnect();
      if (fault === 'closed')
        throw new BusDownError(`bus '${options.name}': connection lost`, { cause: thrown });
      throw new AppError('transient', `unit ${unit} on bus '${options.name}': ${messageOf(thrown)}`, {
        cause: thrown,
      });
    }
  };

  const readPlan = async (unit: number, { blocks, recheck }: ReadPlan): Promise<number[][]> => {
    const data: number[][] = [];
    for (const block of blocks) data.push(await readBlock(unit, block));
    if (recheck !== undefined && !sameWords(await readBlock(unit, recheck), wordsOf(recheck, blocks, data))) {
      throw new AppError(
        'transient',
        `unit ${unit}: a new milking began between two reads; this poll is left out`,
      );
    }
    return data;
  };

  return {
    read: (unit, plan) => queue.add(() => readPlan(unit, plan)),
    close: async () => {
      closed = true;
      disconnect();
      await queue.onIdle();
    },
  };
}

/** The unit id is state of the client, so setting it and sending the request are one synchronous turn. */
async function request(
  client: ModbusClient,
  unit: number,
  { table, start, length }: Block,
): Promise<number[]> {
  client.setID(unit);
  switch (table) {
    case 'holding':
      return (await client.readHoldingRegisters(start, length)).data;
    case 'input':
      return (await client.readInputRegisters(start, length)).data;
    case 'coil':
      return (await client.readCoils(start, length)).data.map(Number);
    case 'discrete':
      return (await client.readDiscreteInputs(start, length)).data.map(Number);
  }
}

/** What a rejection of modbus-serial means; its timeouts and closed ports are plain objects. */
function faultOf(thrown: unknown): 'exception' | 'timeout' | 'closed' | 'frame' {
  const { name, modbusCode } = (thrown ?? {}) as { name?: unknown; modbusCode?: unknown };
  if (typeof modbusCode === 'number') return 'exception';
  if (name === 'TransactionTimedOutError') return 'timeout';
  return name === 'PortNotOpenError' ? 'closed' : 'frame';
}

/** Where the words of `recheck` are in what was read first. */
function wordsOf(recheck: Block, blocks: readonly Block[], data: readonly number[][]): number[] {
  const index = blocks.findIndex(
    (block) =>
      block.table === recheck.table &&
      block.start <= recheck.start &&
      recheck.start + recheck.length <= block.start + block.length,
  );
  const offset = recheck.start - (blocks[index]?.start ?? 0);
  return data[index]?.slice(offset, offset + recheck.length) ?? [];
}

const sameWords = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((word, index) => word === b[index]);
