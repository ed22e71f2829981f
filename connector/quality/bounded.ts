// Memory by device (or client, or message) that strangers cannot fill: what was put in longest ago is forgotten first.

/** More devices than one process can serve. */
const most = 50_000;

/** Puts something into a map of such memory, as its newest. */
export function remember<T>(map: Map<string, T>, key: string, value: T, limit = most): void {
  map.delete(key);
  const oldest = map.size >= limit ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}
