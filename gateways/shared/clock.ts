// Whether the wall clock can be trusted: a farm PC without a battery clock wakes up in the past.
import { existsSync } from 'node:fs';

export interface Clock {
  /** Epoch milliseconds now, and whether to believe it. */
  now(): { at: number; isSynchronised: boolean };
}

/** Before this no gateway ran this program: 2026-01-01. */
const earliest = Date.UTC(2026, 0, 1);
const recheckMs = 5000;

export interface ClockOptions {
  check: 'auto' | 'file' | 'trust';
  /** Exists once the clock is synchronised. */
  file: string;
  /** The latest moment that an earlier process has seen, epoch milliseconds. */
  latest: number;
  wall?: () => number;
}

/** A clock that knows when it is wrong: before the first release, before what it has seen already, or not synchronised yet. */
export function createClock({ check, file, latest, wall = Date.now }: ClockOptions): Clock {
  // Where timesyncd is not running nobody would ever make the file.
  const isAsked = check === 'file' || (check === 'auto' && existsSync('/run/systemd/timesync'));
  let isConfirmed = !isAsked;
  let checkedAt = Number.NEGATIVE_INFINITY;
  return {
    now: () => {
      const at = wall();
      if (!isConfirmed && performance.now() - checkedAt >= recheckMs) {
        checkedAt = performance.now();
        isConfirmed = existsSync(file);
      }
      // A minute of grace: the clock may be set back a little by the synchronisation itself.
      const isBehind = at < earliest || at < latest - 60_000;
      return { at, isSynchronised: check === 'trust' || (isConfirmed && !isBehind) };
    },
  };
}
