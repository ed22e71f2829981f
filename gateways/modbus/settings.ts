// What the Modbus part runs with: gateway.yaml and profiles, resolved.
import type { ModbusMap } from '../../contract/profile/modbus.ts';
import type { DeviceAddress } from '../shared/protocol.ts';
import type { ReadPlan } from './plan.ts';

/** The wire of a bus. */
export type Line =
  | { transport: 'tcp' | 'rtu_tcp'; host: string; port: number }
  | {
      transport: 'rtu';
      path: string;
      baudRate: number;
      dataBits: 7 | 8;
      parity: 'none' | 'even' | 'odd';
      stopBits: 1 | 2;
    };

/** A device with everything that its polling needs. */
export interface DeviceSettings {
  uid: string;
  unit: number;
  stall: string | undefined;
  /** By metric. */
  calibration: Readonly<Record<string, { scale: number; offset: number }>>;
  address: DeviceAddress;
  map: ModbusMap;
  plans: readonly ReadPlan[];
}

export interface BusSettings {
  name: string;
  line: Line;
  timeoutMs: number;
  retryMaxMs: number;
  pauseAfterConnectMs: number;
  pauseBetweenFramesMs: number;
  devices: readonly DeviceSettings[];
}

export interface ModbusSettings {
  buses: readonly BusSettings[];
  kgPerLitre: number;
  heartbeatMs: number;
}
