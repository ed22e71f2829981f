// At which stalls a reader is registered. Pure.

/** Registered so, a reader reads at every stall of its farm. */
const everyStall = '*';

/** Whether a device registered at `registered` (one stall, several with commas between, or `*`) reads at this stall. */
export const readsAt = (registered: string | null, stall: string): boolean =>
  registered !== null &&
  (registered === stall || registered.trim() === everyStall || listed(registered).includes(stall.trim()));

/** The stall of a device that has only one. */
export const onlyStall = (registered: string | null): string | null =>
  registered === null || registered.trim() === everyStall || listed(registered).length > 1
    ? null
    : registered;

const listed = (registered: string) =>
  registered
    .split(',')
    .map((stall) => stall.trim())
    .filter((stall) => stall !== '');
