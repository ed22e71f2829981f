// One poll's values to the envelope that tells them. Pure.
import type { Envelope } from '../../contract/envelope.ts';
import { unrollCounter } from './counter.ts';
import { toPoints, toRfid, type PointScope, type Values } from './decode.ts';
import type { DeviceMemory } from './memory.ts';
import { stepSession, type SessionMemory } from './session.ts';
import type { DeviceSettings } from './settings.ts';

export interface Reading {
  envelope: Envelope;
  /** What to remember of the device; the same object parts where nothing changed. */
  memory: DeviceMemory;
}

/** `at`: epoch milliseconds of the read; `previous`: what the poll before left; `isSession`: these values tell milkings. */
export function toReading(
  { map, stall, calibration }: Pick<DeviceSettings, 'map' | 'stall' | 'calibration'>,
  raw: Values,
  given: { at: number; previous: DeviceMemory; kgPerLitre: number; isSession: boolean },
): Reading {
  const { at, previous, kgPerLitre, isSession } = given;
  const { values, counters } = unroll(map, raw, previous.counters);
  const place = stall === undefined ? {} : { stall };
  const pointsOf = (scope: PointScope) =>
    toPoints(map, values, { kgPerLitre, scope })
      .map((point) => calibrate(point, calibration[point.m]))
      .filter(({ v }) => Number.isFinite(v));
  const counter = values.get(map.session?.counter ?? '');
  const active = values.get(map.session?.active ?? '');
  if (!isSession || typeof counter !== 'number' || active === undefined) {
    // No milkings here, or the meter has no number for this one: nothing may be attributed to a milking.
    const points = pointsOf(map.session === undefined ? 'all' : 'machine');
    return {
      envelope: { v: 1, at: new Date(at).toISOString(), points, ...place },
      memory: { ...previous, counters },
    };
  }
  const yieldKg = pointsOf('milking').find((point) => point.m === 'milk_yield')?.v;
  const step = stepSession(previous.session, { counter, active: Boolean(active), at, yieldKg });
  const late = step.session === undefined ? lateTotals(previous.session, counter, pointsOf) : [];
  if (late.length > 0) {
    const told = [...(previous.session?.told ?? []), ...late.map(({ m }) => m)];
    return {
      envelope: {
        v: 1,
        at: new Date(at).toISOString(),
        points: late,
        session: { id: String(counter), event: 'reading' },
        ...place,
      },
      memory: { session: { ...step.memory, told }, counters },
    };
  }
  const rfid = step.session === undefined ? undefined : toRfid(values.get(map.session?.rfid ?? ''));
  const points = pointsOf(scopeOf(step.session?.event));
  const isOver = step.session?.event === 'end' || step.session?.event === 'record';
  const told = isOver
    ? points.map(({ m }) => m)
    : step.session === undefined
      ? previous.session?.told
      : undefined;
  return {
    envelope: {
      v: 1,
      at: new Date(step.at).toISOString(),
      points,
      ...(rfid === undefined ? {} : { animal: { rfid } }),
      ...(step.session === undefined ? {} : { session: step.session }),
      ...place,
    },
    memory: { session: told === undefined ? step.memory : { ...step.memory, told }, counters },
  };
}

/** What an analyser says of the finished milking after its end. Other totals may be reset by then and are left alone. */
function lateTotals(
  previous: SessionMemory | undefined,
  counter: number,
  pointsOf: (scope: PointScope) => Envelope['points'],
): Envelope['points'] {
  const { told } = previous ?? {};
  if (told === undefined || previous?.counter !== counter) return [];
  return pointsOf('milking').filter(({ m }) => !told.includes(m));
}

/** Counters that roll over go on counting. */
function unroll(map: DeviceSettings['map'], raw: Values, previous: DeviceMemory['counters']) {
  const rolling = map.registers.filter(
    ({ rollover, name }) => rollover !== undefined && typeof raw.get(name) === 'number',
  );
  if (rolling.length === 0) return { values: raw, counters: previous };
  const values = new Map(raw);
  const counters = { ...previous };
  for (const { name, rollover = 0, scale, offset } of rolling) {
    const shown = Number(raw.get(name));
    const step = unrollCounter(previous[name], Math.round((shown - offset) / scale), rollover);
    counters[name] = step;
    values.set(name, Number((shown + step.base * scale).toPrecision(15)));
  }
  return { values, counters };
}

function calibrate(
  point: Envelope['points'][number],
  correction: { scale: number; offset: number } | undefined,
): Envelope['points'][number] {
  if (correction === undefined) return point;
  return { ...point, v: Number((point.v * correction.scale + correction.offset).toPrecision(15)) };
}

/**
 * While milk flows everything counts. Once it is over, the machine's values (pulsation 0) say nothing about the milking;
 * and while the stall idles, the held totals say nothing about now.
 */
function scopeOf(event: NonNullable<Envelope['session']>['event'] | undefined): PointScope {
  if (event === undefined) return 'machine';
  return event === 'end' || event === 'record' ? 'milking' : 'all';
}
