// Milesight EM500-PT100: temperature of a PT100 probe, as in a tank. User guide, "Uplink payload".
import type { Codec } from './codec.ts';
import { history, int16, milesightDecoder } from './milesight.ts';

const temperature = int16('temperature');

export const milesightEm500Pt100: Codec = {
  name: 'milesight-em500-pt100',
  fields: ['battery', 'temperature'],
  decode: milesightDecoder(
    new Map([
      [0x0367, temperature],
      // With an alarm: the temperature, how fast it changed, and which alarm.
      [0x83d7, { ...temperature, length: 5 }],
      [0x20ce, history([temperature])],
    ]),
  ),
};
