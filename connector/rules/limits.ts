// Limits of what a milking measures: a farm's own, kept in Odoo, stand in place of those of config/connector.yaml.
import type { AlertRecord } from '../../contract/records.ts';

/** Within which a value is as it should be; null: no limit on that side. In the unit of config/metrics.yaml. */
export interface Limit {
  low: number | null;
  high: number | null;
  severity: AlertRecord['severity'];
}

/** A limit of a farm, of one kind of its devices, or of one device. */
export interface OwnLimit extends Limit {
  farm: string;
  deviceType: string | null;
  deviceUid: string | null;
  metric: string;
}

/** Limits by metric; `milk_yield_deviation` is the distance from the expected yield in per cent of it. */
export type Limits = ReadonlyMap<string, readonly Limit[]>;

/** Where a value was measured. */
export interface Place {
  farm: string;
  deviceType: string;
  deviceUid: string;
}

/** Answers the limits of a place. Changed as a whole when Odoo's limits change. */
export interface LimitBook {
  of(place: Place): Limits;
  replace(own: readonly OwnLimit[]): void;
}

/** A book with the limits of the configuration. */
export function createLimitBook(defaults: Limits): LimitBook {
  let byFarm: ReadonlyMap<string, readonly OwnLimit[]> = new Map();
  let known = new Map<string, Limits>();
  return {
    of(place) {
      const own = byFarm.get(place.farm);
      if (own === undefined) return defaults;
      const key = `${place.farm}/${place.deviceUid}`;
      const limits = known.get(key) ?? limitsOf(place, own, defaults);
      known.set(key, limits);
      return limits;
    },
    replace(own) {
      byFarm = Map.groupBy(own, ({ farm }) => farm);
      known = new Map();
    },
  };
}

/** Per metric the closest ones count: those of the device, else of its kind, else of the farm, else the configuration's. */
export function limitsOf(place: Place, own: readonly OwnLimit[], defaults: Limits): Limits {
  const here = own.filter(
    ({ farm, deviceType, deviceUid }) =>
      farm === place.farm &&
      (deviceUid === null || deviceUid === place.deviceUid) &&
      (deviceType === null || deviceType === place.deviceType),
  );
  const limits = new Map(defaults);
  for (const [metric, candidates] of Map.groupBy(here, (limit) => limit.metric)) {
    const closest = Math.max(...candidates.map(closeness));
    limits.set(
      metric,
      candidates
        .filter((limit) => closeness(limit) === closest)
        .map(({ low, high, severity }) => ({ low, high, severity })),
    );
  }
  return limits;
}

const closeness = ({ deviceUid, deviceType }: OwnLimit) =>
  deviceUid !== null ? 2 : deviceType !== null ? 1 : 0;

/** A limit that a value is beyond. */
export interface Breach {
  /** The gravest limit that the value is beyond, and its severity. */
  bound: number;
  isAbove: boolean;
  severity: AlertRecord['severity'];
}

const gravity = ['low', 'medium', 'high', 'critical'] as const;

/** What a value breaches; undefined when it is within all limits. Exactly the limit is within. */
export function breachOf(value: number, limits: readonly Limit[] = []): Breach | undefined {
  const [worst] = limits
    .flatMap(({ low, high, severity }): Breach[] => {
      if (high !== null && value > high) return [{ bound: high, isAbove: true, severity }];
      return low !== null && value < low ? [{ bound: low, isAbove: false, severity }] : [];
    })
    .sort((a, b) => gravity.indexOf(b.severity) - gravity.indexOf(a.severity));
  return worst;
}
