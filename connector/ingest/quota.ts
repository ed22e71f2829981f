// Quotas of what a sender can make the connector keep: farms, devices, dead letters, alerts. No I/O, no clock.
import type { RegisterState } from '../db/new-devices.ts';

/** The quotas of config/connector.yaml. */
export interface IntakeQuotas {
  /** Farms that traffic of unknown devices may make in a day. */
  newFarms: number;
  /** Unknown devices that a farm may get in an hour. */
  newDevicesPerHour: number;
  /** Dead letters kept in an hour of one farm's topics. */
  deadLettersPerHour: number;
}

/** Which of the unknown devices, in their order, may become known; of the others the reason why not, by index. */
export function admit(
  unknown: readonly { farm: string }[],
  state: RegisterState,
  quotas: Pick<IntakeQuotas, 'newFarms' | 'newDevicesPerHour'>,
): { newFarms: string[]; refused: Map<number, string> } {
  const made = new Set<string>();
  const devices = new Map(state.newDevices);
  const refused = new Map<number, string>();
  for (const [index, { farm }] of unknown.entries()) {
    const isKnown = state.farms.has(farm) || made.has(farm);
    if (!isKnown && state.newFarms + made.size >= quotas.newFarms) {
      refused.set(
        index,
        `farm ${farm} is unknown, and devices have made ${quotas.newFarms} farms today already (intake.max_new_farms); enter it in Odoo, or one of its devices in config/connector.yaml, then replay this`,
      );
      continue;
    }
    const count = devices.get(farm) ?? 0;
    if (count >= quotas.newDevicesPerHour) {
      refused.set(
        index,
        `farm ${farm} got ${quotas.newDevicesPerHour} unknown devices within an hour already (intake.max_new_devices_per_hour); register the device, or replay this later`,
      );
      continue;
    }
    devices.set(farm, count + 1);
    if (!isKnown) made.add(farm);
  }
  return { newFarms: [...made], refused };
}

/** Counts dead letters by the farm that their topic names; what is beyond the quota is counted only. */
export interface LetterQuota {
  /** For one try to write a batch that came at `arrivedAt` (epoch ms). */
  begin(arrivedAt: number): LetterTally;
}

/** The letters of one try. Those of a try that fails use nothing up: they come again with the next. */
export interface LetterTally {
  /** Whether a letter is kept. */
  isKept(topic: string): boolean;
  /** The batch is stored. */
  commit(): void;
}

const hourMs = 3_600_000;
/** Senders that make up more names than this share one quota; and all together have that of so many farms. */
const mostNames = 1_000;
const wholeQuotas = 10;

/** A quota that starts anew each hour. */
export function createLetterQuota(perHour: number): LetterQuota {
  let hour = 0;
  let kept = 0;
  let counts = new Map<string, number>();
  return {
    begin(arrivedAt) {
      const now = Math.floor(arrivedAt / hourMs);
      const isNew = now !== hour;
      let mine = isNew ? 0 : kept;
      const tally = new Map<string, number>(isNew ? [] : counts);
      return {
        isKept(topic) {
          const name = topic.split('/', 2).join('/');
          const key = tally.has(name) || tally.size < mostNames ? name : '';
          const count = (tally.get(key) ?? 0) + 1;
          tally.set(key, count);
          const isKept = count <= perHour && mine < wholeQuotas * perHour;
          if (isKept) mine += 1;
          return isKept;
        },
        commit() {
          hour = now;
          kept = mine;
          counts = tally;
        },
      };
    },
  };
}

/** What becomes of a new alert: raised, raised as the last one of this hour, or not. */
export type AlertFate = 'raised' | 'last' | 'dropped';

/** Counts the new alerts of each device, each by its key once, however often its batch is tried; each hour starts anew. */
export function createAlertQuota(perHour: number): (deviceId: number, key: string, at: number) => AlertFate {
  let hour = 0;
  const byDevice = new Map<number, Set<string>>();
  return (deviceId, key, at) => {
    const now = Math.floor(at / hourMs);
    if (now !== hour) byDevice.clear();
    hour = now;
    const keys = byDevice.get(deviceId) ?? new Set<string>();
    byDevice.set(deviceId, keys);
    if (keys.size >= perHour && !keys.has(key)) return 'dropped';
    keys.add(key);
    return keys.size >= perHour && [...keys].at(-1) === key ? 'last' : 'raised';
  };
}
