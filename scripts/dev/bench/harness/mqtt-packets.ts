// MQTT 3.1.1 packets as latin1 text: cheap to make by the hundred thousand. Topics and payloads are ASCII here.

const length = (bytes: number) => {
  let text = '';
  let rest = bytes;
  do {
    const digit = rest % 128;
    rest = (rest - digit) / 128;
    text += String.fromCharCode(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return text;
};
const word = (value: number) => String.fromCharCode(value >> 8, value & 0xff);
const field = (text: string) => word(text.length) + text;

/** CONNECT with a clean session. */
export function connectPacket(
  clientId: string,
  username: string,
  password: string,
  keepaliveS: number,
): string {
  const body = `${field('MQTT')}\x04\xc2${word(keepaliveS)}${field(clientId)}${field(username)}${field(password)}`;
  return `\x10${length(body.length)}${body}`;
}

/** PUBLISH, QoS 1. `id` 1…65535; `retain`: the broker keeps it for whoever subscribes later. */
export function publishPacket(topic: string, id: number, payload: string, retain = false): string {
  return `${retain ? '\x33' : '\x32'}${length(topic.length + payload.length + 4)}${word(topic.length)}${topic}${word(id)}${payload}`;
}

export const disconnectPacket = '\xe0\x00';
