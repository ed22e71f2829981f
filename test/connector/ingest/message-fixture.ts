// Incoming messages and a register of devices for tests of the intake.
import type { Device } from '../../../connector/db/dimensions.ts';
import type { DecodedData } from '../../../connector/decode/decoded.ts';
import type { Item } from '../../../connector/ingest/item.ts';
import type { IncomingMessage } from '../../../connector/sources/message.ts';
import type { TopicAddress } from '../../../contract/topics.ts';

export const t0 = Date.UTC(2026, 10, 20, 5);

/** A message as the broker brings it. */
export function message(changes: Partial<IncomingMessage> = {}): IncomingMessage {
  return {
    topic: 'dairy/farm1/milk_meter/m1/data',
    payload: Buffer.from('{}'),
    arrivedAt: t0,
    origin: undefined,
    redelivered: false,
    settle: () => undefined,
    ...changes,
  };
}

export const address: TopicAddress = {
  farm: 'farm1',
  deviceType: 'milk_meter',
  deviceUid: 'm1',
  messageType: 'data',
};

export const device: Device = {
  id: 7,
  farmId: 1,
  farm: 'farm1',
  deviceUid: 'm1',
  deviceType: 'milk_meter',
  profile: null,
  stall: null,
  state: 'registered',
};

/** A decoded data message; points as `[metric, time, value, quality?]`. */
export function dataItem(
  points: [metric: string, time: number, value: number, quality?: number][],
  changes: Partial<DecodedData> = {},
): Item {
  const data: DecodedData = {
    at: t0,
    points: points.map(([metric, time, value, quality = 0]) => ({ metric, time, value, quality })),
    rfid: undefined,
    animalRef: undefined,
    session: undefined,
    stall: undefined,
    profile: undefined,
    ...changes,
  };
  return { message: message(), decoded: { kind: 'data', address, data }, stamp: undefined };
}
