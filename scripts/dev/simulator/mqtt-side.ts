// What the farm says over MQTT, made from the parlour's events.
import { connect } from 'mqtt';
import { clockErrorMs, tagFate, tagIsKnown, type Faults } from './faults.ts';
import {
  absurdCopy,
  brokenCopy,
  finishedRecord,
  readingMoments,
  sessionEnd,
  sessionReading,
  sessionStart,
  tagRead,
  type Clock,
  type Message,
} from './foreign-meters.ts';
import type { Milking, ParlourEvent } from './parlour.ts';

export interface MqttAccess {
  url: string;
  username?: string | undefined;
  password?: string | undefined;
}

/** How a place tells its milkings. */
export type Voice = 'modbus' | 'record' | 'session';

/** A message and the simulated second at which it goes out. */
interface Due extends Message {
  atS: number;
}

const lateByS = 180;

/** Messages of one event. Pure. */
export function messagesOf(
  { type, milking }: ParlourEvent,
  context: { voice: Voice; farm: string; sessionId: string; clock: Clock; faults: Faults; seed: number },
): Due[] {
  const { voice, farm, sessionId, faults, seed } = context;
  const { index } = milking.place;
  if (voice === 'modbus') {
    const read = type === 'enter' && tagIsKnown(tagFate(faults, index, milking.number));
    return read ? [{ atS: milking.enterS, ...tagRead(farm, milking, context.clock) }] : [];
  }
  const errorMs = clockErrorMs(faults, seed, index, milking.number);
  const clock: Clock = (atS) => new Date(Date.parse(context.clock(atS)) + errorMs).toISOString();
  if (voice === 'record') {
    if (type !== 'end') return [];
    return worsen([{ atS: milking.endS, ...finishedRecord(farm, milking, sessionId, clock) }], faults);
  }
  if (type !== 'start') return [];
  return worsen(sessionMessages(milking, sessionId, clock, faults.has('late') ? lateByS : 0), faults);
}

function sessionMessages(milking: Milking, sessionId: string, clock: Clock, delayS: number): Due[] {
  const moments = readingMoments(milking);
  const readings = moments.map((atS, index) => {
    const previousS = moments[index - 1] ?? milking.startS;
    return { atS: atS + delayS, ...sessionReading(milking, sessionId, { previousS, atS, clock }) };
  });
  return [
    { atS: milking.startS, ...sessionStart(milking, sessionId, clock) },
    ...readings,
    { atS: milking.endS, ...sessionEnd(milking, sessionId, clock) },
  ];
}

function worsen(messages: readonly Due[], faults: Faults): Due[] {
  return messages.flatMap((message) => [
    ...new Array<Due>(faults.has('duplicate') ? 3 : 1).fill(message),
    ...(faults.has('bad_json') ? [{ ...message, ...brokenCopy(message) }] : []),
    ...(faults.has('absurd') ? [{ ...message, ...absurdCopy(message) }] : []),
  ]);
}

export interface MqttSide {
  publish(message: Message): void;
  /** While it is away messages wait; then they go out in their order. */
  setAway(isAway: boolean): void;
  /** Resolves when the broker has everything, or after two seconds. */
  stop(): Promise<void>;
}

/** Connects in the background; messages wait in memory until the broker answers. */
export function connectMqttSide(
  { url, username, password }: MqttAccess,
  onTrouble: (text: string) => void,
): MqttSide {
  const client = connect(url, {
    // The broker of npm start ties an account to its name; elsewhere several simulators may share one.
    clientId:
      username === 'simulator'
        ? username
        : `simulator-${process.pid}-${Math.random().toString(36).slice(2, 8)}`,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    reconnectPeriod: 1000,
    reconnectOnConnackError: true,
  });
  let last = '';
  client.on('error', (error) => {
    if (error.message !== last) onTrouble(`MQTT: ${error.message}`);
    last = error.message;
  });
  let open = 0;
  let waiting: Message[] | undefined;
  const publish = (message: Message) => {
    if (waiting !== undefined) return void waiting.push(message);
    open++;
    client.publish(message.topic, message.payload, { qos: 1 }, () => open--);
  };
  return {
    publish,
    setAway: (isAway) => {
      if (isAway) waiting ??= [];
      const due = isAway ? [] : (waiting ?? []);
      if (!isAway) waiting = undefined;
      for (const message of due) publish(message);
    },
    stop: async () => {
      for (let waited = 0; open > 0 && client.connected && waited < 2000; waited += 20) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await client.endAsync(true);
    },
  };
}
