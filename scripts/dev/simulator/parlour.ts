// The parlour in simulated seconds: batches of cows come in, are milked, go out. Pure and deterministic.
import { planMilk, type Cow, type Milk } from './cow.ts';
import { between, createRandom } from './random.ts';

/** Where a cow is milked: a stall with a Modbus meter, or one of the meters that speak MQTT themselves. */
export interface Place {
  uid: string;
  stall: string;
  /** Order among all places; part of every seed. */
  index: number;
}

export interface Milking {
  place: Place;
  /** 0, 1, 2, … at this place. */
  number: number;
  cow: Cow;
  milk: Milk;
  enterS: number;
  startS: number;
  endS: number;
}

export interface ParlourEvent {
  type: 'enter' | 'start' | 'end';
  atS: number;
  milking: Milking;
}

/** Places whose cows come and go together, with their own part of the herd. */
export interface Group {
  places: readonly Place[];
  cows: readonly Cow[];
}

export interface Parlour {
  /** Everything that happens up to `toS` and was not told yet, in order. */
  advance(toS: number): ParlourEvent[];
  /** The milking that runs at a place or was the last there. */
  latest(uid: string, atS: number): Milking | undefined;
  /** True when `limit` milkings are over. */
  finished(): boolean;
}

/** Opens at second 0 with the first batch in the middle of its milking. `limit`: milkings after which no cow comes in. */
export function createParlour(groups: readonly Group[], seed: number, limit = Infinity): Parlour {
  const lanes = groups.map((group) => ({ group, batch: 0, nextS: -Infinity }));
  const history = new Map<string, Milking[]>();
  let pending: ParlourEvent[] = [];
  let planned = 0;
  let ended = 0;

  const nextLane = () => lanes.reduce((first, lane) => (lane.nextS < first.nextS ? lane : first));
  const planBatch = (lane: (typeof lanes)[number]) => {
    const room = Math.max(0, limit - planned);
    const milkings = lane.group.places
      .slice(0, room)
      .map((_place, index) => planMilking(lane.group, lane, index, seed));
    planned += milkings.length;
    lane.batch++;
    // 45 s for the gate: the last cow leaves, the next batch walks in.
    lane.nextS = milkings.length === 0 ? Infinity : Math.max(...milkings.map(({ endS }) => endS)) + 45;
    for (const milking of milkings) {
      const { uid } = milking.place;
      history.set(uid, [...(history.get(uid) ?? []).slice(-4), milking]);
      pending.push(
        { type: 'enter', atS: milking.enterS, milking },
        { type: 'start', atS: milking.startS, milking },
        { type: 'end', atS: milking.endS, milking },
      );
    }
  };

  return {
    advance: (toS) => {
      for (let lane = nextLane(); lane.nextS <= toS; lane = nextLane()) planBatch(lane);
      const due = pending.filter((event) => event.atS <= toS).sort((a, b) => a.atS - b.atS);
      pending = pending.filter((event) => event.atS > toS);
      ended += due.filter((event) => event.type === 'end').length;
      return due;
    },
    latest: (uid, atS) => history.get(uid)?.findLast((milking) => milking.startS <= atS),
    finished: () => ended >= limit,
  };
}

function planMilking(
  { places, cows }: Group,
  { batch, nextS }: { batch: number; nextS: number },
  index: number,
  seed: number,
): Milking {
  const place = places[index];
  const cow = cows[(batch * places.length + index) % cows.length];
  if (place === undefined || cow === undefined) throw new Error('a group needs places and cows');
  const milk = planMilk(cow, seed, 2, place.index, batch);
  const base = { place, number: batch, cow, milk };
  if (nextS === -Infinity) {
    // The doors open in the middle of the first batch: the first stall is nearly done, the last has just begun.
    const endS = milk.durationS * (0.1 + (0.75 * index) / places.length);
    const startS = endS - milk.durationS;
    return { ...base, enterS: startS - 25, startS, endS };
  }
  const enterS = nextS + 3 * index;
  const startS = enterS + between(createRandom(seed, 3, place.index, batch), 20, 35);
  return { ...base, enterS, startS, endS: startS + milk.durationS };
}
