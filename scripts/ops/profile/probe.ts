// Reads a live Modbus device once and shows raw, decoded and published values side by side.
import type { Profile } from '../../../contract/profile.ts';
import type { ModbusMap } from '../../../contract/profile/modbus.ts';
import { UsageError, wholeNumber } from '../../../contract/runtime/command-line.ts';
import { createLogger } from '../../../contract/runtime/logger.ts';
import { createBus, priority } from '../../../gateways/modbus/bus.ts';
import { decodeRegister, toPoints } from '../../../gateways/modbus/decode.ts';
import { RefusedError } from '../../../gateways/modbus/faults.ts';
import { placeRegister } from '../../../gateways/modbus/plan.ts';
import type { Line } from '../../../gateways/modbus/settings.ts';
import { messageOf } from '../../../contract/errors.ts';

interface ProbeOptions {
  host?: string | undefined;
  port: string;
  unit: string;
  'rtu-tcp': boolean;
  serial?: string | undefined;
  baud: string;
  parity: string;
}

interface Probed {
  /** A table as lines of text. */
  lines: string[];
  /** At least one register was answered, be it by a refusal: a device is there. */
  hasAnswer: boolean;
}

/** Every register is read alone, so that one which the device refuses shows as such. */
export async function probe(profile: Profile, options: ProbeOptions): Promise<Probed> {
  const map = profile.modbus;
  if (map === undefined)
    throw new Error(`profile '${profile.profile}' has no modbus section: there is nothing to probe`);
  const unit = wholeNumber('--unit', options.unit, 0, 255);
  const bus = createBus(
    {
      name: 'probe',
      line: lineOf(options),
      timeoutMs: 2000,
      retryMaxMs: 1000,
      pauseAfterConnectMs: map.pause_after_connect_ms,
      pauseBetweenFramesMs: Math.max(5, map.pause_between_frames_ms),
      devices: [],
    },
    { logger: createLogger('probe', 'error'), trouble: () => undefined, count: () => undefined },
  );
  const rows = [['register', 'table', 'address', 'raw', 'decoded', 'published']];
  let hasAnswer = false;
  try {
    for (const definition of map.registers.filter((register) => !register.write_only)) {
      const { name, table, address } = definition;
      const raw = await bus
        .run(priority.poll, (line) => line.read(unit, placeRegister(map, definition)))
        .catch((error: unknown) => {
          hasAnswer ||= error instanceof RefusedError;
          return messageOf(error);
        });
      hasAnswer ||= typeof raw !== 'string';
      rows.push([name, table, String(address), ...shown(map, definition, raw)]);
    }
  } finally {
    await bus.close();
  }
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return { lines, hasAnswer };
}

function shown(map: ModbusMap, definition: ModbusMap['registers'][number], raw: number[] | string): string[] {
  if (typeof raw === 'string') return [raw, '', ''];
  const hex = raw.map((word) => word.toString(16).padStart(4, '0')).join(' ');
  const value = decodeRegister(definition, raw, definition.word_order ?? map.word_order);
  if (value === undefined) return [hex, 'no value', ''];
  const only = { ...map, registers: [definition] };
  const points = toPoints(only, new Map([[definition.name, value]]), { kgPerLitre: 1.03, scope: 'all' });
  return [hex, String(value), points.map(({ m, v }) => `${m} ${v}`).join(' ')];
}

function lineOf({ host, port, serial, baud, parity, 'rtu-tcp': isRtuTcp }: ProbeOptions): Line {
  if (serial !== undefined) {
    if (parity !== 'none' && parity !== 'even' && parity !== 'odd')
      throw new UsageError(`--parity: none, even or odd expected, found '${parity}'`);
    return {
      transport: 'rtu',
      path: serial,
      baudRate: wholeNumber('--baud', baud, 50, 4_000_000),
      dataBits: 8,
      parity,
      stopBits: 1,
    };
  }
  if (host === undefined) throw new UsageError('probe needs --host HOST or --serial PATH');
  return { transport: isRtuTcp ? 'rtu_tcp' : 'tcp', host, port: wholeNumber('--port', port, 1, 65_535) };
}
