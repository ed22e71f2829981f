// Time zones of farms: a farm's own, kept in Odoo, stands in place of milk.timezone of config/connector.yaml.

/** The zones (IANA) of the farms that have one. Changed as a whole when Odoo's farms change. */
export interface FarmZones {
  /** Undefined: the farm has none of its own. */
  of(farm: string): string | undefined;
  replace(zones: ReadonlyMap<string, string>): void;
}

/** No farm has one yet. */
export function createFarmZones(): FarmZones {
  let known: ReadonlyMap<string, string> = new Map();
  return {
    of: (farm) => known.get(farm),
    replace(zones) {
      known = zones;
    },
  };
}
