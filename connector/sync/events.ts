// What Odoo's standard webhook actions sent: stored first, answered, then worked on here. Most only say what to pull.
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { pendingEvents, setAlertState, settleEvent, type OdooEvent } from '../db/odoo-events.ts';
import type { Queryable } from '../db/pool.ts';
import { pulledKinds, pullKinds, withDeletions, type PullKind } from '../db/pulled/index.ts';
import { mappings } from '../odoo/mapping/index.ts';

/** What handlers may do. */
export interface EventContext {
  db: Queryable;
  wake: (kinds: readonly PullKind[]) => void;
}

type Handler = (event: OdooEvent, context: EventContext) => Promise<string> | string;

const pull =
  (kinds: readonly PullKind[]): Handler =>
  (_event, context) => {
    context.wake(kinds);
    return `pulled ${kinds.join(', ')}`;
  };

/** Unknown models are kept and counted. */
function handlerOf(model: string): Handler | undefined {
  if (model === mappings.alert.model) return acknowledge;
  const kinds = pullKinds.filter((kind) => pulledKinds[kind].wokenBy.includes(model));
  return kinds.length === 0 ? undefined : pull(withDeletions(kinds));
}

/** The action has to send the fields source_id and state. */
async function acknowledge({ payload }: OdooEvent, { db }: EventContext): Promise<string> {
  const { source_id: key, state } = payload;
  if (typeof key !== 'string' || key === '') return 'made by hand in Odoo, nothing to do';
  if (state !== 'acknowledged' && state !== 'resolved') return 'still new, nothing to do';
  return (await setAlertState(db, key, state)) ? `${key}: ${state}` : `${key}: nothing to change`;
}

const attemptsAtMost = 5;

/** Works on what waits. Returns how many events were settled, by state. */
export async function workOnEvents(
  context: EventContext,
  logger: Logger,
): Promise<Record<'done' | 'unknown' | 'failed', number>> {
  const counts = { done: 0, unknown: 0, failed: 0 };
  for (const event of await pendingEvents(context.db, 500)) {
    const handler = handlerOf(event.model);
    if (handler === undefined) {
      await settleEvent(context.db, event.id, 'unknown', `nothing is done with ${event.model}`);
      counts.unknown += 1;
      continue;
    }
    try {
      await settleEvent(context.db, event.id, 'done', await handler(event, context));
      counts.done += 1;
    } catch (error) {
      const last = event.attempts + 1 >= attemptsAtMost;
      logger.warn({ event: event.id, model: event.model, error: messageOf(error) }, 'webhook event failed');
      await settleEvent(context.db, event.id, last ? 'failed' : 'pending', messageOf(error));
      if (last) counts.failed += 1;
    }
  }
  return counts;
}
