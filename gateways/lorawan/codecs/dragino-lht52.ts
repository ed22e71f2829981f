// Dragino LHT52: temperature and humidity inside, an optional probe outside. User manual, "Payload".
import { unknownPort, viewOf, wrongLength, type Codec, type CodecField } from './codec.ts';
import { deviceStatus } from './dragino.ts';

const recordLength = 11;

/** Bytes 0-1 temperature, 2-3 humidity, 4-5 probe, 6 kind, 7-10 time; stored records on fPort 3 look the same. */
export const draginoLht52: Codec = {
  name: 'dragino-lht52',
  fields: ['battery_mv', 'temperature', 'humidity', 'probe_temperature'],
  decode: (fPort, bytes) => {
    const view = viewOf(bytes);
    if (fPort === 5) return deviceStatus(view);
    if (fPort === 4) return { fields: [], note: 'told the serial number of its probe' };
    if (fPort !== 2 && fPort !== 3) return unknownPort(fPort);
    const isWhole = bytes.length > 0 && bytes.length % recordLength === 0;
    if (!isWhole || (fPort === 2 && bytes.length !== recordLength))
      return wrongLength(fPort, bytes.length, fPort === 2 ? '11' : 'a multiple of 11');
    const fields: CodecField[] = [];
    for (let at = 0; at < bytes.length; at += recordLength) {
      const when = fPort === 3 ? { time: view.getUint32(at + 7) * 1000 } : {};
      fields.push(
        { field: 'temperature', value: view.getInt16(at), ...when },
        { field: 'humidity', value: view.getInt16(at + 2), ...when },
        { field: 'probe_temperature', value: view.getInt16(at + 4), ...when },
      );
    }
    return { fields };
  },
};
