// The boundary of event handlers: sockets, timers and signals have no caller that could catch what a handler throws.
import { messageOf } from '../errors.ts';
import type { Logger } from './logger.ts';

/** Wraps an event handler: what it throws, at once or later by its promise, is logged once with `what` and ends nothing. */
export function bounded<Args extends unknown[]>(
  logger: Pick<Logger, 'error'>,
  what: string,
  handler: (...args: Args) => unknown,
): (...args: Args) => void {
  const tell = (error: unknown) => logger.error({ error: messageOf(error) }, `${what} failed`);
  return (...args) => {
    try {
      const result = handler(...args);
      if (result instanceof Promise) result.catch(tell);
    } catch (error) {
      tell(error);
    }
  };
}
