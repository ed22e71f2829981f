// One poll's values to the envelope that tells them.
import type { Envelope } from '../../contract/envelope.ts';
import type { DeviceConfig } from './config.ts';
import { toPoints, toRfid, type PointScope, type Values } from './decode.ts';
import { stepSession, type SessionMemory } from './session.ts';

export interface Reading {
  envelope: Envelope;
  /** What to remember of the meter; undefined for a device that does not milk. */
  memory: SessionMemory | undefined;
}

/** `at`: epoch milliseconds of the read; `previous`: what the poll before left. */
export function toReading(
  { map, stall }: Pick<DeviceConfig, 'map' | 'stall'>,
  values: Values,
  { at, previous, kgPerLitre }: { at: number; previous: SessionMemory | undefined; kgPerLitre: number },
): Reading {
  const place = stall === undefined ? {} : { stall };
  const counter = values.get(map.session?.counter ?? '');
  const active = values.get(map.session?.active ?? '');
  if (typeof counter !== 'number' || active === undefined) {
    // No milkings on this device, or the meter has no number for this one: nothing may be attributed to a milking.
    const points = toPoints(map, values, {
      kgPerLitre,
      scope: map.session === undefined ? 'all' : 'machine',
    });
    return { envelope: { v: 1, at: new Date(at).toISOString(), points, ...place }, memory: previous };
  }
  const pointsOf = (scope: PointScope) => toPoints(map, values, { kgPerLitre, scope });
  const yieldKg = pointsOf('milking').find((point) => point.m === 'milk_yield')?.v;
  const step = stepSession(previous, { counter, active: Boolean(active), at, yieldKg });
  const rfid = step.session === undefined ? undefined : toRfid(values.get(map.session?.rfid ?? ''));
  return {
    envelope: {
      v: 1,
      at: new Date(step.at).toISOString(),
      points: pointsOf(scopeOf(step.session?.event)),
      ...(rfid === undefined ? {} : { animal: { rfid } }),
      ...(step.session === undefined ? {} : { session: step.session }),
      ...place,
    },
    memory: step.memory,
  };
}

/**
 * While milk flows everything counts. Once it is over, the machine's values (pulsation 0) say nothing about the milking;
 * and while the stall idles, the held totals say nothing about now.
 */
function scopeOf(event: NonNullable<Envelope['session']>['event'] | undefined): PointScope {
  if (event === undefined) return 'machine';
  return event === 'end' || event === 'record' ? 'milking' : 'all';
}
