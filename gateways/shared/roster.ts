// The states of all devices behind this gateway, and its own: retained topics, told once per change.
import { bounded } from '../../contract/runtime/boundary.ts';
import { buildTopic } from '../../contract/topics.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Link } from './link.ts';
import type { DeviceAddress } from './protocol.ts';

type State = 'online' | 'degraded' | 'offline';

export interface Roster {
  report(address: DeviceAddress, state: State, detail?: string): void;
  forget(address: DeviceAddress): void;
  trouble(what: string, detail: string | undefined): void;
  /** What is wrong now, for people. */
  troubles(): string[];
  stateOf(address: DeviceAddress): State | undefined;
  /** How many devices are in each state. */
  counts(): Readonly<Record<State, number>>;
  /** Says goodbye for the gateway. Its devices are behind it, so that is one message whatever their number. */
  leave(): void;
}

/** Topic of a gateway's own status. */
export const gatewayTopic = (farm: string, uid: string) =>
  buildTopic({ farm, deviceType: 'gateway', deviceUid: uid, messageType: 'status' });

/** Written before the connection, sent by the broker much later: a time in it would be wrong. */
export const gatewayWill = JSON.stringify({ state: 'offline', detail: 'connection lost' });

/** Starts with the gateway online and no devices. */
export function createRoster(
  { farm, uid }: { farm: string; uid: string },
  link: Link,
  logger: Logger,
): Roster {
  const devices = new Map<string, State>();
  const troubles = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let told = '';

  const counts = () => {
    const result = { online: 0, degraded: 0, offline: 0 };
    for (const state of devices.values()) result[state]++;
    return result;
  };
  const tellGateway = (state: State, detail: string) => {
    const content = {
      state,
      ...(detail === '' ? {} : { detail: detail.slice(0, 1000) }),
      devices: devices.size,
    };
    if (JSON.stringify(content) === told) return;
    told = JSON.stringify(content);
    link.retain(gatewayTopic(farm, uid), JSON.stringify({ ...content, at: new Date().toISOString() }));
  };
  const tellNow = () => {
    clearTimeout(timer);
    timer = undefined;
    tellGateway(troubles.size === 0 ? 'online' : 'degraded', [...troubles.values()].join('; '));
  };
  // Devices come in by the dozen: one message for all of them.
  const tellSoon = () => {
    timer ??= setTimeout(bounded(logger, 'state of the gateway', tellNow), 250);
  };
  tellNow();

  return {
    report: (address, state, detail) => {
      const topic = buildTopic({ ...address, messageType: 'status' });
      const known = devices.get(topic);
      // The reason why it is offline changes with every try: only the state is news.
      if (known === state) return;
      devices.set(topic, state);
      const more = detail === undefined ? {} : { detail: detail.slice(0, 1000) };
      logger.info({ device: address.deviceUid, state, ...more }, 'device state');
      link.retain(topic, JSON.stringify({ state, at: new Date().toISOString(), ...more, via: uid }));
      if (known === undefined) tellSoon();
    },
    forget: (address) => {
      const topic = buildTopic({ ...address, messageType: 'status' });
      if (!devices.delete(topic)) return;
      const detail = 'no longer configured';
      link.retain(
        topic,
        JSON.stringify({ state: 'offline', at: new Date().toISOString(), detail, via: uid, removed: true }),
      );
      tellSoon();
    },
    trouble: (what, detail) => {
      if (troubles.get(what) === detail) return;
      if (detail === undefined) troubles.delete(what);
      else troubles.set(what, detail);
      tellSoon();
    },
    troubles: () => [...troubles.values()],
    stateOf: (address) => devices.get(buildTopic({ ...address, messageType: 'status' })),
    counts,
    leave: () => {
      clearTimeout(timer);
      tellGateway('offline', 'stopped');
    },
  };
}
