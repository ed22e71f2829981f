// Memory by device that strangers cannot fill: whoever was remembered first is forgotten first.

/** More devices than one process can serve. */
const most = 50_000;

/** Puts a device's memory into a map of such. */
export function remember<T>(map: Map<string, T>, device: string, value: T, limit = most): void {
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size >= limit && !map.has(device)) map.delete(oldest);
  map.set(device, value);
}
