// Milesight EM500-PT100: temperature of a PT100 probe, as in a tank. User guide, "Uplink payload".
import type { Codec } from './codec.ts';
import { history, milesightCommands, milesightDecoder, tenths } from './milesight.ts';

const temperature = tenths('temperature');

export const milesightEm500Pt100: Codec = {
  name: 'milesight-em500-pt100',
  deviceType: 'temperature',
  profileName: /em500[-_ ]?pt100/i,
  decode: milesightDecoder(
    new Map([
      [0x0367, temperature],
      // With an alarm: the temperature, how fast it changed, and which alarm.
      [0x83d7, { ...temperature, length: 5 }],
      [0x20ce, history([temperature])],
    ]),
  ),
  commands: milesightCommands,
};
