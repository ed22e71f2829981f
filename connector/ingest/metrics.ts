// Prometheus metrics of the pipeline. No device or animal ids as labels.
import { Counter, Gauge, Histogram, collectDefaultMetrics, Registry } from 'prom-client';
import { quality } from '../../contract/envelope.ts';
import { whyDead } from '../sources/message.ts';
import type { Item } from './item.ts';
import type { BatchResult } from './writer.ts';

/** The pipeline's counters since the start of the process, and how to update them. */
export interface PipelineMetrics {
  registry: Registry;
  /** Plain numbers for the status page. */
  totals: { messages: number; readings: number; duplicates: number; deadLetters: number; milkings: number };
  /** A batch was committed just now. */
  onBatch(result: BatchResult, items: readonly Item[], durationMs: number): void;
  onMilkings(count: number): void;
}

/** Of a batch so many messages at most are looked at for their delays: that tells as much as all of them. */
const delaySample = 64;

/** Registers the pipeline's metrics and the process' own (event-loop delay, memory, CPU). `pending` is asked at each scrape. */
export function createMetrics(pending: () => { messages: number; bytes: number }): PipelineMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name: `smart_dairy_${name}`, help, registers });
  const messages = counter('messages_total', 'Messages committed');
  const rejected = counter(
    'messages_rejected_total',
    'Messages, and values of REST batches, that could not be taken; with replays that failed again',
  );
  const readings = counter('readings_written_total', 'Readings stored');
  const duplicates = counter('readings_duplicate_total', 'Readings that were stored before');
  const conflicts = counter(
    'readings_conflict_total',
    'Readings that differ from the value that their moment had; of the two the larger is kept',
  );
  const letters = counter('dead_letters_total', 'Messages kept because they could not be taken');
  const dropped = counter(
    'dead_letters_dropped_total',
    'Messages that could not be taken and were not kept: beyond intake.max_dead_letters_per_hour',
  );
  const milkings = counter('milkings_published_total', 'Milkings published, revisions included');
  const doubtful = new Counter({
    name: 'smart_dairy_readings_doubtful_total',
    help: 'Readings received whose quality is not good',
    labelNames: ['quality'],
    registers,
  });
  const unread = counter(
    'fields_unread_total',
    'Fields that could not be read while the rest of their message was taken',
  );
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `smart_dairy_${name}`, help, buckets, registers });
  const batch = histogram(
    'batch_messages',
    'Messages per batch',
    [1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000],
  );
  const duration = histogram(
    'batch_seconds',
    'Duration of a batch from begin to commit',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  );
  const latency = histogram(
    'commit_latency_seconds',
    `From arrival to commit, of up to ${delaySample} messages a batch`,
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
  );
  const lag = histogram(
    'device_lag_seconds',
    `From the time that a device says to commit, of up to ${delaySample} messages a batch; below 0 its clock is ahead`,
    [0, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 3_600, 21_600, 86_400],
  );
  new Counter({
    name: 'smart_dairy_messages_received_total',
    help: 'Messages received',
    registers,
    collect() {
      this.reset();
      this.inc(totals.messages + pending().messages);
    },
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `smart_dairy_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('pending_messages', 'Messages received and not yet committed', () => pending().messages);
  gauge('pending_bytes', 'Memory that they hold, about', () => pending().bytes);
  const totals = { messages: 0, readings: 0, duplicates: 0, deadLetters: 0, milkings: 0 };
  const onMilkings = (count: number) => {
    milkings.inc(count);
    totals.milkings += count;
  };
  return {
    registry,
    totals,
    onMilkings,
    onBatch(result, items, durationMs) {
      messages.inc(items.length);
      readings.inc(result.readings);
      duplicates.inc(result.duplicates);
      conflicts.inc(result.conflicts);
      letters.inc(result.deadLetters);
      dropped.inc(result.lettersDropped ?? 0);
      rejected.inc(rejectedOf(result));
      batch.observe(items.length);
      duration.observe(durationMs / 1000);
      unread.inc(unreadCount(items));
      for (const [name, count] of doubtfulOf(items)) doubtful.inc({ quality: name }, count);
      const now = Date.now();
      for (let index = 0; index < items.length; index += Math.ceil(items.length / delaySample)) {
        const item = items[index];
        if (item === undefined) break;
        latency.observe((now - item.message.arrivedAt) / 1000);
        const { decoded } = item;
        if (decoded.kind === 'data' && decoded.data.at !== undefined)
          lag.observe((now - decoded.data.at) / 1000);
      }
      totals.messages += items.length;
      totals.readings += result.readings;
      totals.duplicates += result.duplicates;
      totals.deadLetters += result.deadLetters;
      onMilkings(result.published.length);
    },
  };
}

function rejectedOf({ outcomes }: BatchResult): number {
  let count = 0;
  for (const outcome of outcomes) {
    if (whyDead(outcome) !== undefined) count += 1;
    if (outcome.kind === 'stored') count += outcome.refused?.size ?? 0;
  }
  return count;
}

const qualityNames: ReadonlyMap<number, string> = new Map([
  [quality.outOfRange, 'out_of_range'],
  [quality.deviceFlagged, 'device_flagged'],
  [quality.clockUnsynchronised, 'clock'],
  [quality.rateOfChange, 'rate_of_change'],
  [quality.stuck, 'stuck'],
]);

function doubtfulOf(items: readonly Item[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { decoded } of items) {
    if (decoded.kind !== 'data') continue;
    for (const point of decoded.data.points) {
      if (point.quality === quality.good) continue;
      const name = qualityNames.get(point.quality) ?? 'other';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

function unreadCount(items: readonly Item[]): number {
  let count = 0;
  for (const { decoded } of items) if (decoded.kind === 'data') count += decoded.data.unread?.length ?? 0;
  return count;
}
