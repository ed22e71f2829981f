// The load: milkings of meters with and without a clock, readings of gauges, some of both retained, finished records, equal messages,
// a poison message in every 1,000.
import { kpaOf, litresOf, type Sent } from './ledger.ts';
import { createRecords, type TrueMilking } from './records.ts';

const meters = 10;
const gauges = 20;
const messagesPerMilking = 40;
/** Of so many gauge messages one is retained, and of so many milk messages: by turns one of every device. */
const retainedEvery = 17;
const hourMs = 3_600_000;

/** Makes the messages, one at a time. */
export interface Load {
  /** All messages made so far, by number. */
  sent: Sent[];
  /** Source ids of the milkings made so far, without the farm. */
  milkings: string[];
  next: () => Sent;
  /** A reading of one of the gauges. */
  gauge: () => Sent;
  /** A message without a time, byte for byte as all others of its kind. */
  same: () => Sent;
  /** The messages that end the milkings which are under way. */
  finish: () => Sent[];
  /** The finished milkings once more, as a backlog brings them. */
  repeat: () => Sent[];
  /** The finished milkings as they were. */
  truth: () => TrueMilking[];
  /** Topics of which the broker may have a retained message, of earlier runs too. */
  retainedTopics: readonly string[];
  /** The gauges' clocks are wrong by so many hours for the next `count` of their messages. */
  jump: (hours: number, count: number) => void;
}

/** A load for one farm. */
export function createLoad(farm: string): Load {
  const sent: Sent[] = [];
  const milkings: string[] = [];
  const open = new Map<number, { milking: number; said: number }>();
  const lastAt = new Map<string, number>();
  let wrong = { hours: 0, count: 0 };
  const records = createRecords(farm, Date.now());

  const milkTopic = (meter: number) => `dairy/${farm}/milk_meter/m${meter}/data`;
  const gaugeTopic = (device: string) => `dairy/${farm}/pressure/${device}/data`;
  const put = (message: Pick<Sent, 'topic' | 'payload' | 'kind'> & Partial<Sent>): Sent => {
    const n = sent.length;
    const whole = {
      n,
      milking: -1,
      timed: true,
      acknowledged: false,
      held: false,
      unsure: false,
      gone: false,
      retain: false,
      ...message,
    };
    sent.push(whole);
    return whole;
  };
  /** No device says the same moment twice. */
  const moment = (device: string, shiftMs = 0): string => {
    const at = Math.max(Date.now() + shiftMs, (lastAt.get(`${device} ${shiftMs}`) ?? 0) + 1);
    lastAt.set(`${device} ${shiftMs}`, at);
    return new Date(at).toISOString();
  };

  function milk(meter: number, retain = false, end = false): Sent {
    const known = open.get(meter);
    const said = (known?.said ?? 0) + 1;
    const milking = known?.milking ?? milkings.push(`m${meter}/k${milkings.length}`) - 1;
    const isLast = end || said === messagesPerMilking;
    if (isLast) open.delete(meter);
    else open.set(meter, { milking, said });
    const timed = meter % 2 === 0;
    const message = {
      type: said === 1 ? 'session_start' : isLast ? 'session_end' : 'reading',
      session_id: `k${milking}`,
      volume: litresOf(sent.length),
      ...(timed ? { timestamp: moment(`m${meter}`) } : {}),
    };
    return put({
      topic: milkTopic(meter),
      payload: JSON.stringify(message),
      kind: 'milk',
      milking,
      timed,
      retain,
    });
  }

  function gauge(index: number, retain = false): Sent {
    const shiftMs = wrong.count > 0 ? wrong.hours * hourMs : 0;
    // Clocks that run ahead are those of other gauges: what is stored under its arrival would meet what its own gauge dates then.
    const device = `${shiftMs > 0 ? 'q' : 'p'}${index}`;
    wrong = { ...wrong, count: wrong.count - 1 };
    const at = moment(device, shiftMs);
    const points = [{ m: 'pressure', v: kpaOf(sent.length) }];
    return put({
      topic: gaugeTopic(device),
      payload: JSON.stringify({ v: 1, at, points }),
      kind: 'gauge',
      // What is ahead counts when it comes: nothing tells it from its repetition.
      timed: shiftMs <= 0,
      retain,
    });
  }

  function record(): Sent {
    const message = records.next();
    if (message === undefined) return same();
    const whole = put(message);
    records.sentAs(whole);
    return whole;
  }

  const same = () =>
    put({
      topic: `dairy/${farm}/ph/u0/data`,
      payload: '{"ph":6.5}',
      kind: 'same',
      timed: false,
    });

  return {
    sent,
    milkings,
    next() {
      const n = sent.length;
      if (n % 1000 === 999)
        return put({ topic: gaugeTopic('p0'), payload: `{"poison":${n},`, kind: 'poison' });
      if (n % 50 === 47) return record();
      if (n % 50 === 23) return same();
      const turn = Math.floor(n / 2);
      const retain = turn % retainedEvery === 0;
      return n % 2 === 0 ? gauge(turn % gauges, retain) : milk(turn % meters, retain);
    },
    gauge: () => gauge(sent.length % gauges),
    same,
    finish: () => [...open.keys()].map((meter) => milk(meter, false, true)),
    repeat: () => records.again().map(put),
    truth: records.truth,
    retainedTopics: [
      ...Array.from({ length: meters }, (_, meter) => milkTopic(meter)),
      ...Array.from({ length: gauges }, (_, index) => [
        gaugeTopic(`p${index}`),
        gaugeTopic(`q${index}`),
      ]).flat(),
    ],
    jump(hours, count) {
      wrong = { hours, count };
    },
  };
}
