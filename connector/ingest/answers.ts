// When devices say that they answered commands: what is dated before its command proves a clock that is behind. No I/O.
import type { CommandAnswer } from '../db/clocks.ts';
import { parseMoment } from '../decode/moment.ts';
import type { Item } from './item.ts';
import type { FindDevice } from './register.ts';

/** The batch's answers to commands with a time, the last of each device. */
export function answersOf(items: readonly Item[], find: FindDevice): CommandAnswer[] {
  const last = new Map<number, CommandAnswer>();
  for (const { decoded } of items) {
    if (decoded.kind !== 'status' || decoded.status.command === undefined) continue;
    const device = find(decoded.address);
    const at = parseMoment(decoded.status.at);
    if (device === undefined || at === undefined) continue;
    last.set(device.id, { deviceId: device.id, requestId: decoded.status.command.id, at });
  }
  return [...last.values()];
}
