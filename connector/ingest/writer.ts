// One transaction per batch: devices, readings, tags, milkings with their records, statuses, dead letters.
import type { Logger } from '../../contract/runtime/logger.ts';
import { saveStamps } from '../db/arrival-stamps.ts';
import { noteAnswers } from '../db/clocks.ts';
import { noteCommandNews, type CommandRow } from '../db/commands.ts';
import { insertDeadLetters, noteReplays } from '../db/dead-letters.ts';
import { insertStatuses } from '../db/device-status.ts';
import { rememberDevices, type Dimensions } from '../db/dimensions.ts';
import {
  inOpenedTransaction,
  isSqlError,
  mayBeContent,
  toDatabaseError,
  type Db,
  type Opening,
} from '../db/pool.ts';
import { notePresence } from '../db/presence.ts';
import { prepareDays, withInsert, type InsertReadings, type PreparedDays } from '../db/readings.ts';
import { answersOf } from './answers.ts';
import { halvesOf, joinOutcomes } from './halves.ts';
import type { Item } from './item.ts';
import type { Outcome } from '../sources/message.ts';
import { milkingEventsOf } from './milking-events.ts';
import { writeMilkings } from './milkings.ts';
import type { DeviceById, MilkingSettings, PublishedMilking } from './publish-milkings.ts';
import { createLetterQuota, type IntakeQuotas } from './quota.ts';
import { heardAt, registerDevices, type FindDevice } from './register.ts';
import {
  commandNewsOf,
  dataRowsOf,
  deadLettersOf,
  outcomesOf,
  replaysOf,
  stampsOf,
  statusRowsOf,
  tagReadsOf,
} from './rows.ts';
import { isBetter, verdictsOf } from './verdicts.ts';

/** What a batch did. `seen` is when its devices (by id) were last heard, epoch ms. */
export interface BatchResult {
  readings: number;
  duplicates: number;
  /** Values that differ from the one that their moment had. */
  conflicts: number;
  deadLetters: number;
  /** Dead letters beyond their quota: counted, not kept. */
  lettersDropped?: number;
  published: PublishedMilking[];
  /** Commands that came further. */
  commands: CommandRow[];
  seen: ReadonlyMap<number, number>;
  /** One a message, in order. */
  outcomes: readonly Outcome[];
}

/** What the writer works with. */
export interface WriterContext {
  db: Db;
  dimensions: Dimensions;
  unknownDevices: 'discover' | 'reject';
  /** Without them traffic may make known and leave behind what it likes. */
  quotas?: IntakeQuotas;
  milkings: MilkingSettings;
  logger: Logger;
  /** Origins whose arrival stamps serve nobody any more. */
  voidedStamps: () => readonly string[];
  /** Opens each batch's transaction; throws when this process may no longer write. */
  fence?: Opening;
}

/**
 * Writes a batch; its id stands in the log and at its dead letters. Throws AppError `transient` or `denied` when the database
 * is away: nothing was written then.
 */
export type WriteBatch = (
  items: readonly Item[],
  batchId?: string,
  /** How often this batch has failed. */
  failures?: number,
) => Promise<BatchResult>;

/** A batch that failed so often for a reason that may lie in its messages is halved: the database answers, after all. */
const patientFailures = 3;

/** Makes the writer of batches. */
export function createWriter(context: WriterContext): WriteBatch {
  const { db, dimensions, quotas } = context;
  const letterQuota = quotas === undefined ? undefined : createLetterQuota(quotas.deadLettersPerHour);
  const prepared: PreparedDays = new Set();

  async function write(items: readonly Item[], batchId?: string, failures = 0): Promise<BatchResult> {
    try {
      return await withInsert((insert) => writeOnce(items, insert, batchId));
    } catch (thrown) {
      const error = toDatabaseError(thrown);
      const isContent = error.kind === 'invalid' || (error.kind === 'bug' && !isSqlError(error));
      const isSuspect = mayBeContent(error) && failures >= patientFailures;
      if (!isContent && !isSuspect) throw error;
      return splitBatch(items, error, batchId, failures);
    }
  }

  /** One bad message never costs its batch: halve until it stands alone, then it is a dead letter. */
  async function splitBatch(
    items: readonly Item[],
    error: Error,
    batchId: string | undefined,
    failures: number,
  ): Promise<BatchResult> {
    const [first, ...others] = items;
    if (first === undefined || (others.length === 0 && first.decoded.kind === 'dead')) throw error;
    if (others.length === 0) {
      const halves = halvesOf(first);
      if (halves !== undefined) {
        const { outcomes, ...both } = merge(
          await write([halves[0]], batchId, failures),
          await write([halves[1]], batchId, failures),
        );
        return { ...both, outcomes: [joinOutcomes(outcomes, halves.map(pointsOf))] };
      }
      const { topic } = first.message;
      context.logger.error({ batch_id: batchId, topic, error }, 'message cannot be stored');
      // A database that takes no dead letter either is at fault itself: that throws, and nothing is lost.
      return write([{ ...first, decoded: { kind: 'dead', reason: error.message } }], batchId);
    }
    const middle = Math.ceil(items.length / 2);
    return merge(
      await write(items.slice(0, middle), batchId, failures),
      await write(items.slice(middle), batchId, failures),
    );
  }

  async function writeOnce(
    items: readonly Item[],
    insert: InsertReadings,
    batchId: string | undefined,
  ): Promise<BatchResult> {
    const { result, added, days, tally } = await inOpenedTransaction(db, context.fence, async (client) => {
      const devices = await registerDevices(client, items, dimensions, context.unknownDevices, quotas);
      const data = dataRowsOf(items, devices.find, dimensions.metricIds);
      const readings = data.flatMap(({ rows }) => rows);
      const newDays = await prepareDays(client, readings, prepared);
      const existing = await insert(client, readings, isBetter);
      const verdicts = verdictsOf(data, existing, dimensions.metricIds);
      const byId: DeviceById = (id) =>
        dimensions.devicesById.get(id) ?? devices.added.find((device) => device.id === id);
      const events = milkingEventsOf(data, verdicts);
      const tags = tagReadsOf(data);
      const { published, told } = await writeMilkings(client, events, tags, byId, context.milkings);
      const outcomes = outcomesOf(items, data, verdicts, devices.find, devices.refused, told);
      const dead = deadLettersOf(items, outcomes);
      const tally = dead.length === 0 ? undefined : letterQuota?.begin(items[0]?.message.arrivedAt ?? 0);
      const letters = dead.filter(({ topic }) => tally?.isKept(topic) ?? true);
      const statuses = statusRowsOf(items, devices.find);
      await insertStatuses(client, statuses);
      await notePresence(client, statuses);
      const commands = await noteCommandNews(client, commandNewsOf(items, devices.find));
      await noteAnswers(client, answersOf(items, devices.find));
      await saveStamps(client, stampsOf(items), context.voidedStamps());
      await insertDeadLetters(client, letters, batchId);
      await noteReplays(client, replaysOf(items, outcomes));
      const points = data.reduce((sum, { data: { points: all } }) => sum + all.length, 0);
      const stored = readings.length - existing.size;
      const conflicts = sumOf(outcomes, (outcome) => outcome.conflicts?.size ?? 0);
      return {
        result: {
          readings: stored,
          duplicates: points - stored - conflicts,
          conflicts,
          deadLetters: letters.length,
          lettersDropped: dead.length - letters.length,
          published,
          commands,
          seen: seenDevices(items, devices.find),
          outcomes,
        },
        added: devices.added,
        days: newDays,
        tally,
      };
    });
    tally?.commit();
    rememberDevices(dimensions, added);
    for (const day of days) prepared.add(day);
    return result;
  }

  return write;
}

const sumOf = (outcomes: readonly Outcome[], of: (outcome: Extract<Outcome, { kind: 'stored' }>) => number) =>
  outcomes.reduce((sum, outcome) => (outcome.kind === 'stored' ? sum + of(outcome) : sum), 0);

const pointsOf = ({ decoded }: Item) => (decoded.kind === 'data' ? decoded.data.points.length : 0);

function merge(left: BatchResult, right: BatchResult): BatchResult {
  return {
    readings: left.readings + right.readings,
    duplicates: left.duplicates + right.duplicates,
    conflicts: left.conflicts + right.conflicts,
    deadLetters: left.deadLetters + right.deadLetters,
    lettersDropped: (left.lettersDropped ?? 0) + (right.lettersDropped ?? 0),
    published: [...left.published, ...right.published],
    commands: [...left.commands, ...right.commands],
    seen: new Map([...left.seen, ...right.seen]),
    outcomes: [...left.outcomes, ...right.outcomes],
  };
}

function seenDevices(items: readonly Item[], find: FindDevice): ReadonlyMap<number, number> {
  const seen = new Map<number, number>();
  for (const { decoded } of items) {
    const at = heardAt(decoded);
    const device =
      at === null || decoded.kind === 'ignored' || decoded.kind === 'dead'
        ? undefined
        : find(decoded.address);
    if (at !== null && device !== undefined) seen.set(device.id, at);
  }
  return seen;
}
