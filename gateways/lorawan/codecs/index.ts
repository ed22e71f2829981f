// The codecs that there are. A new one is a file beside this one, a line here, and its name in contract/lorawan.ts.
import type { CodecName } from '../../../contract/lorawan.ts';
import { abeewayTracker, abeewayTrackerV1 } from './abeeway-tracker.ts';
import type { Codec } from './codec.ts';
import { draginoLht52 } from './dragino-lht52.ts';
import { draginoLht65 } from './dragino-lht65.ts';
import { draginoTrackerd } from './dragino-trackerd.ts';
import { elsysErs } from './elsys-ers.ts';
import { milesightEm300Th } from './milesight-em300-th.ts';
import { milesightEm500Pt100 } from './milesight-em500-pt100.ts';
import { smartDairyCollar } from './smart-dairy-collar.ts';

export const codecs: Readonly<Record<CodecName, Codec>> = {
  'abeeway-tracker': abeewayTracker,
  'abeeway-tracker-v1': abeewayTrackerV1,
  'dragino-lht52': draginoLht52,
  'dragino-lht65': draginoLht65,
  'dragino-trackerd': draginoTrackerd,
  'elsys-ers': elsysErs,
  'milesight-em300-th': milesightEm300Th,
  'milesight-em500-pt100': milesightEm500Pt100,
  'smart-dairy-collar': smartDairyCollar,
};
