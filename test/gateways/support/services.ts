// Services that keep what a protocol tells them, for tests without spool and broker.
import type { Command } from '../../../contract/commands.ts';
import type { Envelope } from '../../../contract/envelope.ts';
import { createLogger } from '../../../contract/runtime/logger.ts';
import type { DeviceAddress, Outcome, Services } from '../../../gateways/shared/protocol.ts';

export interface Recorded {
  services: Services;
  published: { address: DeviceAddress; envelope: Envelope }[];
  raw: { topic: string; payload: string }[];
  reported: { uid: string; state: string; detail: string | undefined }[];
  troubles: Map<string, string>;
  counts: Map<string, number>;
  /** Gives a device a command; undefined when nothing listens for it. */
  command(uid: string, command: Command): Promise<Outcome> | undefined;
}

/** A farm called farm1 with a gateway gw1. */
export function recordServices(): Recorded {
  const published: Recorded['published'] = [];
  const raw: Recorded['raw'] = [];
  const reported: Recorded['reported'] = [];
  const troubles = new Map<string, string>();
  const counts = new Map<string, number>();
  const memory = new Map<string, unknown>();
  const executors = new Map<string, (command: Command, signal: AbortSignal) => Promise<Outcome>>();
  const services: Services = {
    logger: createLogger('test', 'silent'),
    farm: 'farm1',
    gateway: 'gw1',
    publish: (address, envelope, remember) => {
      published.push({ address, envelope });
      if (remember !== undefined) memory.set(remember[0], remember[1]);
      return Promise.resolve(true);
    },
    publishRaw: (topic, payload) => {
      raw.push({ topic, payload });
      return Promise.resolve(true);
    },
    recall: (key) => memory.get(key),
    remember: (key, value) => void memory.set(key, value),
    report: (address, state, detail) => void reported.push({ uid: address.deviceUid, state, detail }),
    forget: (address) =>
      void reported.push({ uid: address.deviceUid, state: 'forgotten', detail: undefined }),
    trouble: (what, detail) => {
      if (detail === undefined) troubles.delete(what);
      else troubles.set(what, detail);
    },
    onCommand: (address, execute) => {
      executors.set(address.deviceUid, execute);
      return () => void executors.delete(address.deviceUid);
    },
    count: (name, labels = {}, by = 1) => {
      const key = [name, ...Object.values(labels)].join(' ');
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
    gauge: () => undefined,
  };
  return {
    services,
    published,
    raw,
    reported,
    troubles,
    counts,
    command: (uid, command) => executors.get(uid)?.(command, new AbortController().signal),
  };
}
