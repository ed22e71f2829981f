// Runs a profile's samples and says what differs from what they expect.
import { isDeepStrictEqual } from 'node:util';
import type { Profile } from '../../../contract/profile.ts';
import { readSample, type SampleContext } from './sample.ts';

/** One line per difference; none for a profile whose samples all read as expected. */
export function checkSamples(profile: Profile, context: SampleContext): string[] {
  return profile.samples.flatMap((sample) => {
    const found = readSample(profile, sample, context);
    if (found === undefined) return [];
    if (typeof found === 'string') return [`sample '${sample.name}': ${found}`];
    const wanted = comparable(sample.expect);
    const real = comparable(found);
    // Which animal and which milking it was is never a matter of course.
    const keys = new Set([...Object.keys(wanted), 'animal', 'session']);
    return [...keys].flatMap((key) =>
      isDeepStrictEqual(real[key], wanted[key])
        ? []
        : [
            `sample '${sample.name}': ${key} is ${JSON.stringify(real[key])}, expected ${JSON.stringify(wanted[key])}`,
          ],
    );
  });
}

/** One way to write moments, numbers and the order of points. */
function comparable(envelope: Profile['samples'][number]['expect']): Record<string, unknown> {
  const moment = (at: string | number) => new Date(at).toISOString();
  const { at, points } = envelope;
  const written = points?.map(({ m, v, t, q = 0 }) => {
    return [m, t === undefined ? '' : moment(t), Number(v.toPrecision(12)), q].join(' ');
  });
  return {
    ...envelope,
    ...(at === undefined ? {} : { at: moment(at) }),
    ...(written === undefined ? {} : { points: written.sort() }),
  };
}
