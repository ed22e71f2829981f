// Prometheus metrics of the pipeline. No device or animal ids as labels.
import { Counter, Gauge, Histogram, collectDefaultMetrics, Registry } from 'prom-client';
import type { BatchResult } from './ingest/writer.ts';

/** The pipeline's counters since the start of the process, and how to update them. */
export interface PipelineMetrics {
  registry: Registry;
  /** Plain numbers for the status page. */
  totals: { messages: number; readings: number; duplicates: number; deadLetters: number; milkings: number };
  onBatch(result: BatchResult, messages: number, durationMs: number): void;
  onMilkings(count: number): void;
}

/** Registers the pipeline's metrics and the process' own (event-loop delay, memory, CPU). `pending` is asked at each scrape. */
export function createMetrics(pending: () => { messages: number; bytes: number }): PipelineMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name: `smart_dairy_${name}`, help, registers });
  const messages = counter('messages_total', 'Messages committed');
  const readings = counter('readings_written_total', 'Readings stored');
  const duplicates = counter('readings_duplicate_total', 'Readings that were stored before');
  const letters = counter('dead_letters_total', 'Messages that could not be taken');
  const milkings = counter('milkings_published_total', 'Milkings published, revisions included');
  const batch = new Histogram({
    name: 'smart_dairy_batch_messages',
    help: 'Messages per batch',
    buckets: [1, 10, 100, 500, 1_000, 2_000, 5_000],
    registers,
  });
  const duration = new Histogram({
    name: 'smart_dairy_batch_seconds',
    help: 'Duration of a batch from begin to commit',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  new Gauge({
    name: 'smart_dairy_pending_messages',
    help: 'Messages received and not yet committed',
    registers,
    collect() {
      this.set(pending().messages);
    },
  });
  const totals = { messages: 0, readings: 0, duplicates: 0, deadLetters: 0, milkings: 0 };
  const onMilkings = (count: number) => {
    milkings.inc(count);
    totals.milkings += count;
  };
  return {
    registry,
    totals,
    onMilkings,
    onBatch(result, count, durationMs) {
      messages.inc(count);
      readings.inc(result.readings);
      duplicates.inc(result.duplicates);
      letters.inc(result.deadLetters);
      batch.observe(count);
      duration.observe(durationMs / 1000);
      totals.messages += count;
      totals.readings += result.readings;
      totals.duplicates += result.duplicates;
      totals.deadLetters += result.deadLetters;
      onMilkings(result.published.length);
    },
  };
}
