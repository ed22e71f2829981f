// Of each topic that the broker refuses one message is tried now and then, beside all others.
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Backlog } from './backlog.ts';
import type { Link } from './link.ts';
import type { Refusals } from './refusals.ts';
import type { StoredMessage } from './spool.ts';

export interface Probing {
  /** Sends what is due. */
  probe(): void;
  /** Wakes up when the next one is due. */
  later(): void;
  close(): void;
}

interface Parts {
  link: Pick<Link, 'isReady'>;
  backlog: Pick<Backlog, 'first' | 'take'>;
  refusals: Refusals;
  /** Whether another message may be sent now. */
  hasRoom: () => boolean;
  send: (message: StoredMessage) => void;
  /** Called when something is due. */
  wake: () => void;
  logger: Logger;
}

/** A try that finds no room, or its message still under way, comes a second later. */
const againMs = 1000;

/** Nothing is due before `later` is called. */
export function createProbing({ link, backlog, refusals, hasRoom, send, wake, logger }: Parts): Probing {
  let timer: NodeJS.Timeout | undefined;
  const due = bounded(logger, 'probing of refused topics', () => {
    wake();
    later();
  });
  const later = () => {
    const at = refusals.nextAt();
    clearTimeout(timer);
    if (at === undefined) return;
    timer = setTimeout(due, Math.max(againMs, at - performance.now()));
  };
  return {
    probe: () => {
      if (!link.isReady()) return;
      for (const { topic, firstId } of refusals.due(performance.now())) {
        if (!hasRoom()) return;
        const first = backlog.first(topic, firstId);
        if (first === undefined) refusals.clear(topic);
        else if (first !== 'under way') {
          backlog.take(first.id);
          refusals.probe(topic, first.id);
          send(first);
        }
      }
    },
    later,
    close: () => clearTimeout(timer),
  };
}
