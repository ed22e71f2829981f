// Lets collars, feeders and sensors speak in simulated time: over MQTT and over HTTP.
import type { Cow } from './cow.ts';
import type { Message } from './foreign-meters.ts';
import { collarEvent, every, feederVisit, sensorReading, sensors } from './surroundings.ts';

export interface SurroundingsOptions {
  farm: string;
  seed: number;
  herd: readonly Cow[];
  publish: (message: Message) => void;
  /** HTTP intake of the gateway; `token` is the beginning of every sensor's token. */
  http: { url: string; token: string } | undefined;
  clock: (atS: number) => string;
  onTrouble: (text: string) => void;
}

const feeders = [1, 2];

/** Returns what to call with the simulated second, as often as one likes: everything due since the last call is said. */
export function createSurroundings(options: SurroundingsOptions): (atS: number) => void {
  const { farm, seed, herd, publish, http, clock, onTrouble } = options;
  let before = -1;
  let failing = false;
  // Each speaker has its own place in the interval, so that they do not all speak at once.
  const due = (intervalS: number, offsetS: number, from: number, to: number): number[] => {
    const numbers: number[] = [];
    for (
      let n = Math.max(0, Math.floor((from - offsetS) / intervalS) + 1);
      n * intervalS + offsetS <= to;
      n++
    )
      numbers.push(n);
    return numbers;
  };
  const post = async (url: string, token: string, body: unknown): Promise<void> => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(5000),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      failing = false;
    } catch (error) {
      if (!failing) onTrouble(`sensor: ${url}: ${String(error)}`);
      failing = true;
    }
  };

  return (atS) => {
    herd.forEach((cow, index) => {
      const offset = (index * every.collar) / herd.length;
      for (const report of due(every.collar, offset, before, atS))
        publish(collarEvent(seed, cow, index + 1, report, clock(report * every.collar + offset)));
    });
    for (const feeder of feeders) {
      const offset = (feeder * every.feeder) / feeders.length;
      for (const visit of due(every.feeder, offset, before, atS)) {
        const cow = herd[(visit * 5 + feeder * 3) % herd.length];
        if (cow !== undefined)
          publish(feederVisit(farm, seed, feeder, visit, cow, clock(visit * every.feeder + offset)));
      }
    }
    if (http !== undefined)
      sensors.forEach((sensor, index) => {
        for (const reading of due(every.sensor, 20 + index * 40, before, atS))
          post(
            `${http.url}/v1/devices/${sensor}/data`,
            `${http.token}-${sensor}`,
            sensorReading(seed, sensor, reading * every.sensor),
          ).catch((error: unknown) => onTrouble(String(error)));
      });
    before = atS;
  };
}
