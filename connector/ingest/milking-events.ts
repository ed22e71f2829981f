// What a batch says of milkings, worked out from its data messages. No I/O.
import type { Device } from '../db/dimensions.ts';
import type { DecodedData, DecodedPoint } from '../decode/decoded.ts';
import type { MilkingEvent } from '../milkings/evidence.ts';
import type { DataRow } from './rows.ts';
import { isUsable, type Verdict } from './verdicts.ts';

/** A milking event and the device it came from. */
export interface DeviceMilkingEvent {
  device: Device;
  /** Index of its data message among the batch's. */
  row: number;
  event: MilkingEvent;
}

/** The batch's milking events. `verdicts` as of `outcomesOf`. */
export function milkingEventsOf(
  rows: readonly DataRow[],
  verdicts: readonly Verdict[][] | undefined,
): DeviceMilkingEvent[] {
  return rows.flatMap(({ device, data, at }, index) => {
    if (data.session === undefined) return [];
    const { id: wireId, event, revision } = data.session;
    const points = data.points.filter(isUsable);
    const counted = verdicts?.[index] === undefined ? undefined : countedOf(data, verdicts[index]);
    const clock = points.some(({ quality }) => quality !== 0);
    const { rfid, animalRef, stall, messageId } = data;
    const milking: MilkingEvent = {
      wireId,
      event,
      at,
      points,
      newPoints: counted?.newPoints ?? points,
      replaced: counted?.replaced ?? [],
      ...(revision === undefined ? {} : { revision }),
      ...(messageId === undefined ? {} : { messageId }),
      ...(rfid === undefined ? {} : { rfid }),
      ...(animalRef === undefined ? {} : { animalRef }),
      ...(stall === undefined ? {} : { stall }),
      ...(clock ? { clock } : {}),
    };
    return [{ device, row: index, event: milking }];
  });
}

/** Usable values of moments that had none, and those of moments that had another one. */
function countedOf(
  { points }: DecodedData,
  verdicts: readonly Verdict[],
): Pick<MilkingEvent, 'newPoints' | 'replaced'> {
  const counted = { newPoints: [] as DecodedPoint[], replaced: [] as (DecodedPoint & { before: number })[] };
  for (const [index, point] of points.entries()) {
    const verdict = verdicts[index];
    if (!isUsable(point) || verdict === 'same' || verdict === undefined) continue;
    if (verdict === 'new' || !isUsable(verdict.before)) counted.newPoints.push(point);
    else counted.replaced.push({ ...point, before: verdict.before.value });
  }
  return counted;
}
