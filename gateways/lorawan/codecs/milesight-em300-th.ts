// Milesight EM300-TH: temperature and humidity. User guide, "Uplink payload".
import type { Codec } from './codec.ts';
import { halves, history, milesightCommands, milesightDecoder, tenths } from './milesight.ts';

const [temperature, humidity] = [tenths('temperature'), halves('humidity')];

export const milesightEm300Th: Codec = {
  name: 'milesight-em300-th',
  deviceType: 'temperature',
  profileName: /em300[-_ ]?th/i,
  decode: milesightDecoder(
    new Map([
      [0x0367, temperature],
      [0x0468, humidity],
      [0x20ce, history([temperature, humidity], 1)],
    ]),
  ),
  commands: milesightCommands,
};
