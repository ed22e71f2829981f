// What npm start waits for: a milking that is stored.
import type { EnvValues } from '../stack/types.ts';
import { followConnector, type LiveEvent } from './connector-api.ts';

/** Whether Odoo has it is another matter: Odoo may be away or wrong, and records wait. `onEvent` goes on until `unfollow`. */
export function firstMilking(
  env: EnvValues,
  onEvent: (event: LiveEvent) => void,
): { isStored: Promise<unknown>; unfollow: () => void } {
  const { promise: isStored, resolve } = Promise.withResolvers<unknown>();
  const unfollow = followConnector(env, (event) => {
    onEvent(event);
    if (event.type === 'milking') resolve(undefined);
  });
  return { isStored, unfollow };
}
