// The acknowledgement of MQTT messages, as bytes.

/** PUBACK packets; without a reason code they say success in MQTT 3.1.1 and 5 alike. */
export function pubacks(ids: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * ids.length);
  const view = new DataView(bytes.buffer);
  ids.forEach((id, index) => {
    view.setUint16(4 * index, 0x4002);
    view.setUint16(4 * index + 2, id);
  });
  return bytes;
}
