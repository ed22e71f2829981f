// Store and forward: readings go to the spool first, then to the broker; live ones first, the backlog at a set rate.
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { createBacklog } from './backlog.ts';
import { createForwarder } from './forwarder.ts';
import { createKept } from './kept.ts';
import type { Link } from './link.ts';
import { createRefusals } from './refusals.ts';
import type { Message, Spool, SpoolCounts } from './spool.ts';
import { createStore } from './store.ts';

export interface OutletOptions {
  /** Readings of so long share one transaction, and so one write to the disk. */
  commitMs: number;
  /** Messages a second of the backlog; 0 is as fast as the broker takes them. */
  backlogPerS: number;
  /**
   * So long an acknowledged message stays in the spool, and is sent again when the connection is lost meanwhile: longer
   * than the broker takes to save what it has. 0 believes every acknowledgement.
   */
  keepAcknowledgedMs: number;
}

const keepCheckMs = 500;

export interface OutletCounts extends SpoolCounts {
  acknowledged: number;
  /** Sent again although acknowledged: the connection was lost soon afterwards. */
  repeated: number;
  /** Messages that are only in memory because the disk takes none. */
  unstored: number;
  writeErrors: number;
}

export interface Outlet {
  /**
   * Hands a message over; `remember` becomes durable together with it. Resolves true when it is on the disk, false when
   * the disk takes nothing (it is then kept in memory and sent all the same). Never rejects.
   */
  publish(message: Message, remember?: readonly [key: string, value: unknown]): Promise<boolean>;
  /** What was remembered, also by an earlier process. */
  recall(key: string): unknown;
  /** Remembers without a message. */
  remember(key: string, value: unknown): void;
  counts(): OutletCounts;
  /** Delivers what waits for at most `drainMs`; what is left stays in the spool. */
  close(drainMs?: number): Promise<void>;
}

/** Starts to forward whenever `link` is ready. */
export function createOutlet(spool: Spool, link: Link, logger: Logger, options: OutletOptions): Outlet {
  const { commitMs, backlogPerS, keepAcknowledgedMs } = options;
  let repeated = 0;
  let final: SpoolCounts | undefined;
  const refusals = createRefusals();
  const kept = createKept(keepAcknowledgedMs);
  const backlog = createBacklog(spool, ({ topic, id }) => {
    refusals.skip(topic, id);
    return refusals.isRefused(topic);
  });
  const store = createStore(spool, logger, commitMs, {
    onRemoved: (ids) => ids.forEach((id) => backlog.forget(id)),
    onStored: (messages) => {
      for (const message of messages) {
        if (forwarder.offer(message)) backlog.take(message.id);
        else backlog.release(message.id);
      }
      forwarder.pump();
    },
    onUnstored: (takeAll) => {
      if (!link.isReady()) return;
      for (const { topic, payload, at } of takeAll()) forwarder.offer({ id: undefined, topic, payload, at });
      forwarder.pump();
    },
  });
  const forwarder = createForwarder(
    { link, backlog, refusals, backlogPerS, logger },
    {
      onAcknowledged: ({ id }) => {
        if (id === undefined) return;
        if (keepAcknowledgedMs > 0) kept.add(id);
        else store.remove(id);
      },
      onLeft: ({ topic, payload, at }) => store.addAgain({ topic, payload, at }),
    },
  );

  // While the broker is away nothing becomes safe: it may come back without it.
  const releaseSafe = () => {
    if (link.isReady()) for (const id of kept.takeSafe()) store.remove(id);
  };
  const keeping = setInterval(bounded(logger, 'acknowledged messages', releaseSafe), keepCheckMs);
  keeping.unref();
  link.onReady(() => {
    const again = kept.takeAll();
    for (const id of again) backlog.release(id);
    repeated += again.length;
    if (again.length > 0)
      logger.info({ messages: again.length }, 'sent again: the broker may have lost what it had just taken');
    refusals.retryNow();
    forwarder.pump();
  });
  return {
    publish: (message, remember) => store.add(message, remember),
    recall: (key) => store.recall(key),
    remember: (key, value) => store.remember(key, value),
    counts: () => {
      const { waiting, dropped, bytes } = final ?? spool.counts();
      const { pending, removing, lost, writeErrors } = store.counts();
      const { unstored: live, acknowledged } = forwarder.counts();
      const unstored = pending + live;
      return {
        waiting: waiting + unstored - removing - kept.count(),
        dropped: dropped + lost,
        bytes,
        acknowledged,
        repeated,
        unstored,
        writeErrors,
      };
    },
    close: async (drainMs = 3000) => {
      if (final !== undefined) return;
      store.commit();
      const deadline = performance.now() + drainMs;
      while (link.isReady() && forwarder.counts().busy > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      clearInterval(keeping);
      store.close();
      forwarder.close();
      final = spool.counts();
      const waiting = final.waiting - kept.count();
      if (waiting > 0) logger.info({ waiting }, 'stopped; what the broker did not confirm is in the spool');
      spool.close();
    },
  };
}
