// The codecs that there are. A new one is a file beside this one and a line here.
import { abeewayTracker, abeewayTrackerV1 } from './abeeway-tracker.ts';
import type { Codec } from './codec.ts';
import { draginoLht52 } from './dragino-lht52.ts';
import { draginoLht65 } from './dragino-lht65.ts';
import { draginoTrackerd } from './dragino-trackerd.ts';
import { elsysErs } from './elsys-ers.ts';
import { milesightEm300Th } from './milesight-em300-th.ts';
import { milesightEm500Pt100 } from './milesight-em500-pt100.ts';
import { smartDairyCollar } from './smart-dairy-collar.ts';

export const codecs: readonly Codec[] = [
  abeewayTracker,
  abeewayTrackerV1,
  draginoLht52,
  draginoLht65,
  draginoTrackerd,
  elsysErs,
  milesightEm300Th,
  milesightEm500Pt100,
  smartDairyCollar,
];

const byName: ReadonlyMap<string, Codec> = new Map(codecs.map((codec) => [codec.name, codec]));

/** The codec of that name. */
export const codecByName = (name: string): Codec | undefined => byName.get(name);

/** The codec that a ChirpStack device profile's name speaks of: the codec's own name, or its model's. */
export function codecForProfile(profileName: string): Codec | undefined {
  return byName.get(profileName.toLowerCase()) ?? codecs.find((codec) => codec.profileName.test(profileName));
}
