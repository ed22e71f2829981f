// The simulated farm: parlour, Modbus meters, tag reader, foreign MQTT meters and what else lives there, on one clock.
import { createCow } from './cow.ts';
import {
  brokerIsAway,
  clockErrorMs,
  firstForeignPlace,
  modbusFate,
  tagFate,
  tagIsKnown,
  type FaultName,
  type Faults,
} from './faults.ts';
import { kgPerLitre, readingLitres, readingMoments, recordLitres } from './foreign-meters.ts';
import { connectMqttSide, messagesOf, type MqttAccess, type Voice } from './mqtt-side.ts';
import { startModbusServer, type ModbusServer } from './modbus-server.ts';
import { createParlour, type Group, type Milking, type Place } from './parlour.ts';
import { roundTo } from './random.ts';
import { meterRegisters } from './registers.ts';
import { startRfidServer, type RfidServer } from './rfid-server.ts';
import { createSurroundings } from './surroundings-side.ts';
import { tankTables } from './surroundings.ts';

export interface SimulatorOptions {
  farm?: string;
  stalls?: number;
  seed?: number;
  /** Simulated seconds in a second; at the default of 12 a milking takes 20 to 40 s. */
  speed?: number;
  host?: string;
  /** 0 takes any free port. */
  modbusPort?: number;
  /** Without it there are only the Modbus meters. */
  mqtt?: MqttAccess | undefined;
  faults?: Faults;
  /** Told when the broker goes and comes, with fault `broker_away`: whoever runs the broker may really stop it. */
  onBroker?: (isAway: boolean) => void;
  /** Tags of the Modbus stalls come from a TCP reader on this port instead of MQTT; 0 takes any free port. */
  rfidPort?: number;
  /** Tanks, collars and feeders live too, and sensors where there is an HTTP intake. */
  surroundings?: { http?: { url: string; token: string } | undefined };
  /** No cow comes in after so many milkings. */
  milkings?: number;
  /** Makes session numbers differ from an earlier run's; from the wall clock by default. */
  runNumber?: number;
  /** Epoch ms of simulated second 0 in messages, so that two runs say the same; the moment of opening by default. */
  zeroMs?: number;
  /** The parlour opens at the gateway's first poll, but after this time in any case. */
  openAfterMs?: number;
  log?: (text: string) => void;
}

/** A milking as it truly was, for audits. */
export interface TrueMilking {
  voice: Voice;
  device_uid: string;
  session_id: string;
  rfid: string;
  ear_tag: string;
  tag_read: boolean;
  /** How wrong the device's clock is: what it tells differs so much from the moments here. */
  clock_error_s: number;
  stall: string;
  started_at: string;
  ended_at: string;
  yield_kg: number;
  peak_flow_kg_min: number;
  conductivity: number;
  fat: number | null;
  protein: number | null;
  scc_per_ml: number | null;
}

export interface Simulator {
  modbusPort: number;
  /** Port of the tag reader, undefined without one. */
  rfidPort: number | undefined;
  /** Milkings that are over, in the order of their ends. */
  truth: TrueMilking[];
  /** Resolves when `milkings` milkings are over; never without that option. */
  finished: Promise<void>;
  /** Pulls the plug of the Modbus server; the cows go on. */
  stopModbus(): Promise<void>;
  /** Plugs it in again, on the same port. */
  restartModbus(): Promise<void>;
  stop(): Promise<void>;
}

const demoHerd = 24;
/** The MQTT meters and the cows that they milk, the last ones of the demo herd. */
const foreignMeters: readonly { uid: string; voice: Voice; stall: string; cows: readonly number[] }[] = [
  { uid: 'meter_001', voice: 'record', stall: 'M1', cows: [19, 20] },
  { uid: 'meter_002', voice: 'record', stall: 'M2', cows: [21, 22] },
  { uid: 'SD-MM-001', voice: 'session', stall: 'M3', cows: [23, 24] },
];
const tickMs = 100;
/** Unit ids of the bulk tanks, behind those of the stalls. */
const tankUnits = [241, 242];

/** Starts the farm. Rejects when the Modbus port is taken. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { farm = 'farm1', stalls = 8, seed = 1, speed = 12, host = '127.0.0.1' } = options;
  const { faults = new Set<FaultName>(), openAfterMs = 10_000, log = () => undefined } = options;
  // Ten seconds a number: no stall milks so fast, so a later run's numbers are always new. Rolls over after 7.6 days.
  const runNumber = options.runNumber ?? Math.floor(Date.now() / 10_000);
  const counterBase = runNumber & 0xffff;
  const { groups, voices } = layOut(stalls, seed, options.mqtt !== undefined);
  const parlour = createParlour(groups, seed, options.milkings);
  const startedAt = Date.now();
  let openedAt: number | undefined;
  const nowS = () => (openedAt === undefined ? 0 : ((Date.now() - openedAt) / 1000) * speed);
  const clock = (atS: number) =>
    new Date((options.zeroMs ?? openedAt ?? startedAt) + (atS / speed) * 1000).toISOString();
  const voiceOf = (place: Place) => voices.get(place.uid) ?? 'modbus';
  const analyserAt = (unit: number) => stalls === 1 || unit < stalls;
  const sessionIdOf = ({ place, number }: Milking) =>
    voiceOf(place) === 'modbus'
      ? String((counterBase + number + 1) & 0xffff)
      : `${place.uid}-${runNumber}-${number}`;

  const truth: TrueMilking[] = [];
  const finished = Promise.withResolvers<undefined>();
  const mqtt = options.mqtt === undefined ? undefined : connectMqttSide(options.mqtt, log);
  const surroundings =
    options.surroundings === undefined
      ? undefined
      : createSurroundings({
          farm,
          seed,
          herd: Array.from({ length: demoHerd }, (_, index) => createCow(seed, index + 1)),
          publish: (message) => mqtt?.publish(message),
          http: options.surroundings.http,
          clock,
          onTrouble: log,
        });
  const tankAt = (unit: number) =>
    options.surroundings !== undefined && tankUnits.includes(unit)
      ? tankTables(seed, tankUnits.indexOf(unit), (Date.now() / 1000) * speed)
      : undefined;
  let rfid: RfidServer | undefined;
  let wasAway = false;
  const readTag = (reader: RfidServer, { place, number, cow }: Milking, atS: number) => {
    const fate = tagFate(faults, place.index, number);
    reader.read(place.stall, fate === 'unread' ? undefined : cow.rfid);
    // Whoever stands next door: the stall before, or behind the first one.
    const neighbour = parlour.latest(stallUid(place.index === 0 ? 2 : place.index), atS)?.cow.rfid;
    if (neighbour !== undefined && (fate === 'passing' || fate === 'both'))
      reader.read(place.stall, neighbour, fate === 'both' ? 3 : 1);
  };
  let outbox: ReturnType<typeof messagesOf> = [];
  const tick = () => {
    const atS = nowS();
    for (const event of parlour.advance(atS)) {
      const { milking } = event;
      const [voice, sessionId] = [voiceOf(milking.place), sessionIdOf(milking)];
      if (rfid !== undefined && voice === 'modbus') {
        if (event.type === 'enter') readTag(rfid, milking, atS);
      } else outbox.push(...messagesOf(event, { voice, farm, sessionId, clock, faults, seed }));
      if (event.type !== 'end') continue;
      const { index } = milking.place;
      const analyser = voice !== 'modbus' || analyserAt(index + 1);
      const tag_read = voice !== 'modbus' || tagIsKnown(tagFate(faults, index, milking.number));
      const clock_error_s = voice === 'modbus' ? 0 : clockErrorMs(faults, seed, index, milking.number) / 1000;
      truth.push({ ...trueMilking(milking, { voice, sessionId, clock, analyser }), tag_read, clock_error_s });
    }
    const isAway = brokerIsAway(faults, atS);
    if (isAway !== wasAway) {
      mqtt?.setAway(isAway);
      options.onBroker?.(isAway);
    }
    wasAway = isAway;
    const due = outbox.filter((message) => message.atS <= atS).sort((a, b) => a.atS - b.atS);
    outbox = outbox.filter((message) => message.atS > atS);
    for (const message of due) mqtt?.publish(message);
    surroundings?.(atS);
    if (parlour.finished() && outbox.length === 0) finished.resolve(undefined);
  };

  let timer: NodeJS.Timeout | undefined;
  const open = () => {
    if (openedAt !== undefined) return;
    openedAt = Date.now();
    tick();
    timer = setInterval(tick, tickMs);
  };
  const listen = (port: number) =>
    startModbusServer({
      host,
      port,
      registers: (unit) => {
        const tank = tankAt(unit);
        if (tank !== undefined) return tank.input;
        if (unit < 1 || unit > stalls) return undefined;
        open();
        const atS = nowS();
        const milking = parlour.latest(stallUid(unit), atS);
        return meterRegisters(milking, atS, { counterBase, analyser: analyserAt(unit), timed: speed === 1 });
      },
      others: (unit) => {
        const tank = tankAt(unit);
        return tank === undefined ? {} : { 1: tank.coil, 2: tank.discrete, 3: tank.holding };
      },
      fate: (unit, request) =>
        modbusFate(faults, { seed, unit, request, lastUnit: stalls, elapsedMs: (nowS() / speed) * 1000 }),
    });
  let server: ModbusServer | undefined;
  try {
    server = await listen(options.modbusPort ?? 0);
    if (options.rfidPort !== undefined) rfid = await startRfidServer(host, options.rfidPort);
  } catch (error) {
    await Promise.all([server?.close(), mqtt?.stop()]);
    throw error;
  }
  const modbusPort = server.port;
  const doors = setTimeout(open, stalls === 0 ? 0 : openAfterMs);
  const stopModbus = async () => {
    await server?.close();
    server = undefined;
  };
  return {
    modbusPort,
    rfidPort: rfid?.port,
    truth,
    finished: finished.promise,
    stopModbus,
    restartModbus: async () => {
      server ??= await listen(modbusPort);
    },
    stop: async () => {
      clearTimeout(doors);
      clearInterval(timer);
      await stopModbus();
      await rfid?.close();
      await mqtt?.stop();
    },
  };
}

const stallUid = (unit: number) => `stall-${String(unit).padStart(2, '0')}`;

function layOut(
  stalls: number,
  seed: number,
  withMqtt: boolean,
): { groups: Group[]; voices: Map<string, Voice> } {
  const voices = new Map<string, Voice>();
  const cow = (n: number) => createCow(seed, n);
  // A parlour with more stalls than demo cows for them milks strangers too: Odoo does not know their tags.
  const parlourCows = Array.from({ length: Math.max(18, stalls) }, (_, i) =>
    i < 18 ? i + 1 : demoHerd + i - 17,
  );
  const places = Array.from({ length: stalls }, (_, i): Place => ({
    uid: stallUid(i + 1),
    stall: String(i + 1),
    index: i,
  }));
  const groups: Group[] = stalls === 0 ? [] : [{ places, cows: parlourCows.map(cow) }];
  if (withMqtt) {
    foreignMeters.forEach(({ uid, voice, stall, cows }, i) => {
      voices.set(uid, voice);
      groups.push({ places: [{ uid, stall, index: firstForeignPlace + i }], cows: cows.map(cow) });
    });
  }
  return { groups, voices };
}

function trueMilking(
  milking: Milking,
  context: { voice: Voice; sessionId: string; clock: (atS: number) => string; analyser: boolean },
): Omit<TrueMilking, 'tag_read' | 'clock_error_s'> {
  const { place, cow, milk, startS, endS } = milking;
  const { voice, sessionId, clock, analyser } = context;
  return {
    voice,
    device_uid: place.uid,
    session_id: sessionId,
    rfid: cow.rfid,
    ear_tag: cow.earTag,
    stall: place.stall,
    started_at: clock(startS),
    ended_at: clock(endS),
    yield_kg: trueYieldKg(milking, voice),
    peak_flow_kg_min: roundTo(milk.peakKgMin, 3),
    conductivity: milk.conductivity,
    fat: analyser ? milk.fat : null,
    protein: analyser ? milk.protein : null,
    scc_per_ml: analyser ? milk.sccPerMl : null,
  };
}

/** What the meter itself counted: a foreign one shows rounded litres. */
function trueYieldKg(milking: Milking, voice: Voice): number {
  if (voice === 'modbus') return milking.milk.yieldKg;
  if (voice === 'record') return roundTo(recordLitres(milking) * kgPerLitre, 4);
  const moments = readingMoments(milking);
  const litres = moments.map((atS, index) =>
    readingLitres(milking, moments[index - 1] ?? milking.startS, atS),
  );
  return roundTo(litres.reduce((sum, part) => sum + part, 0) * kgPerLitre, 4);
}
