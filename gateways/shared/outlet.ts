// Store and forward: readings go to the spool first, then to the broker; live ones first, the backlog at a set rate.
import type { Logger } from '../../contract/runtime/logger.ts';
import { createBacklog } from './backlog.ts';
import { createForwarder } from './forwarder.ts';
import type { Link } from './mqtt.ts';
import type { Message, Spool, SpoolCounts } from './spool.ts';
import { createStore } from './store.ts';

export interface OutletOptions {
  /** Readings of so long share one transaction, and so one write to the disk. */
  commitMs: number;
  /** Messages a second of the backlog; 0 is as fast as the broker takes them. */
  backlogPerS: number;
}

export interface OutletCounts extends SpoolCounts {
  acknowledged: number;
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
  const { commitMs, backlogPerS } = options;
  let final: SpoolCounts | undefined;
  const backlog = createBacklog(spool);
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
    { link, backlog, backlogPerS, logger },
    {
      onAcknowledged: ({ id }) => {
        if (id !== undefined) store.remove(id);
      },
      onLeft: ({ topic, payload, at }) => store.addAgain({ topic, payload, at }),
    },
  );

  link.onReady(() => forwarder.pump());
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
        waiting: waiting + unstored - removing,
        dropped: dropped + lost,
        bytes,
        acknowledged,
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
      store.close();
      forwarder.close();
      final = spool.counts();
      const { waiting } = final;
      if (waiting > 0) logger.info({ waiting }, 'stopped; what the broker did not confirm is in the spool');
      spool.close();
    },
  };
}
