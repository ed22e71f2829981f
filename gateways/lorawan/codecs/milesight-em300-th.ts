// Milesight EM300-TH: temperature and humidity. User guide, "Uplink payload".
import type { Codec } from './codec.ts';
import { history, int16, milesightDecoder, uint8 } from './milesight.ts';

const [temperature, humidity] = [int16('temperature'), uint8('humidity')];

export const milesightEm300Th: Codec = {
  name: 'milesight-em300-th',
  fields: ['battery', 'temperature', 'humidity'],
  decode: milesightDecoder(
    new Map([
      [0x0367, temperature],
      [0x0468, humidity],
      [0x20ce, history([temperature, humidity], 1)],
    ]),
  ),
};
