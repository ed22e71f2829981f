// The connector's only Kafka client: appending to topics, and reading one as a member of a consumer group.
import {
  Admin,
  compatibilityPartitioner,
  Consumer,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  ProduceAcks,
  Producer,
} from '@platformatic/kafka';
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Logger } from '../../contract/runtime/logger.ts';

/** Where the log is, and as whom to speak. */
export interface LogOptions {
  /** host:port, at least one. */
  brokers: readonly string[];
  clientId: string;
}

/** A record to be appended. `timestamp` in epoch ms. */
export interface LogEntry {
  topic: string;
  key: string;
  value: Uint8Array;
  timestamp: number;
  headers: Readonly<Record<string, string>>;
}

/** A record that was read. */
export interface LogRecord {
  partition: number;
  offset: bigint;
  value: Uint8Array;
  timestamp: number;
  headers: ReadonlyMap<string, string>;
}

/** Appends records. */
export interface LogWriter {
  /** Resolves when every in-sync replica has all of them. */
  append(entries: readonly LogEntry[]): Promise<void>;
  close(): Promise<void>;
}

/** A membership in a consumer group. */
export interface LogMember {
  /** In order per partition. Ends after close(), throws when the membership fails. */
  records: AsyncIterable<LogRecord>;
  /** Commits the next offsets to read, by partition. */
  commit(offsets: ReadonlyMap<number, bigint>): Promise<void>;
  close(): Promise<void>;
}

/** A member that says nothing for so long is replaced; brokers refuse less than 6 s unless told otherwise. */
const sessionTimeoutMs = 6_000;
const heartbeatMs = 1_500;

const common = ({ brokers, clientId }: LogOptions) => ({
  clientId,
  bootstrapBrokers: [...brokers],
  connectTimeout: 5_000,
  timeout: 10_000,
  retries: 2,
  retryDelay: 300,
  autocreateTopics: false,
});

/** Makes the topics that are missing, with the broker's own replication. */
export async function ensureTopics(
  options: LogOptions,
  topics: readonly string[],
  partitions: number,
): Promise<void> {
  const admin = new Admin(common(options));
  try {
    const there = new Set(await admin.listTopics());
    for (const topic of topics.filter((name) => !there.has(name))) {
      await admin
        .createTopics({ topics: [topic], partitions, replicas: -1 })
        .catch(async (error: unknown) => {
          // Another process may have made it just now.
          if (!(await admin.listTopics()).includes(topic)) throw error;
        });
    }
  } finally {
    await admin.close();
  }
}

/** A writer. Keys go to the same partitions as with Kafka's own clients. */
export function openLogWriter(options: LogOptions): LogWriter {
  const producer = new Producer({
    ...common(options),
    acks: ProduceAcks.ALL,
    idempotent: true,
    partitioner: compatibilityPartitioner,
  });
  return {
    async append(entries) {
      await producer.send({
        messages: entries.map(({ topic, key, value, timestamp, headers }) => ({
          topic,
          key: Buffer.from(key),
          value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          timestamp: BigInt(timestamp),
          headers: new Map(
            Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
          ),
        })),
      });
    },
    close: () => producer.close(),
  };
}

/**
 * Joins the group. `onAssigned` is called with the partitions after every rebalance, `onRevoked` when one begins: what was
 * read before it will be read again by whoever gets the partition, from the committed offset.
 */
export async function joinLog(
  options: LogOptions & { topic: string; group: string },
  hooks: { onAssigned(partitions: readonly number[]): void; onRevoked(): void },
  logger: Logger,
): Promise<LogMember> {
  const { topic } = options;
  const consumer = new Consumer({
    ...common(options),
    groupId: options.group,
    autocommit: false,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: 4 * sessionTimeoutMs,
    heartbeatInterval: heartbeatMs,
    maxWaitTime: 500,
    maxBytes: 8_000_000,
  });
  const onRevoked = bounded(logger, 'kafka: rebalance', () => hooks.onRevoked());
  consumer.on('consumer:group:rebalance', onRevoked);
  consumer.on('consumer:group:leave', onRevoked);
  const onJoin = () =>
    hooks.onAssigned((consumer.assignments ?? []).flatMap((assigned) => assigned.partitions));
  consumer.on('consumer:group:join', bounded(logger, 'kafka: join', onJoin));
  try {
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.COMMITTED,
      fallbackMode: MessagesStreamFallbackModes.EARLIEST,
    });
    const epochs = new Map<number, number>();
    return {
      records: read(stream, epochs),
      async commit(offsets) {
        await consumer.commit({
          offsets: [...offsets].map(([partition, offset]) => {
            return { topic, partition, offset, leaderEpoch: epochs.get(partition) ?? -1 };
          }),
        });
      },
      close: () => consumer.close(true),
    };
  } catch (error) {
    await consumer.close(true).catch(() => undefined);
    throw error;
  }
}

type Stream = Awaited<ReturnType<Consumer['consume']>>;

async function* read(stream: Stream, epochs: Map<number, number>): AsyncGenerator<LogRecord> {
  for await (const { partition, offset, value, timestamp, headers, leaderEpoch } of stream) {
    epochs.set(partition, leaderEpoch);
    yield {
      partition,
      offset,
      value,
      timestamp: Number(timestamp),
      headers: new Map([...headers].map(([name, text]) => [name.toString(), text.toString()])),
    };
  }
}
