// Takes ChirpStack's events in: each once, onto the disk, whichever way its copies come.
import type { Services } from '../shared/protocol.ts';
import { readEvent, type ChirpEvent } from './events.ts';
import { interpret } from './interpret.ts';
import type { KnownDevices } from './known.ts';
import type { Settings } from './section.ts';

/** Copies of one event come within seconds: from several ChirpStack instances, by MQTT and by HTTP. */
const rememberedEvents = 10_000;

/** Takes an event in; resolves when it is on the disk, a copy together with the first. A string says why it was refused. */
export type TakeEvent = (kind: string, body: unknown) => Promise<string | undefined>;

/** `settings` are asked for at each event. */
export function createEventIntake(
  services: Services,
  known: KnownDevices,
  settings: () => Settings,
): TakeEvent {
  const seen = new Map<string, Promise<undefined>>();

  const store = async (event: ChirpEvent): Promise<undefined> => {
    const device = known.of(event, settings());
    if (device === undefined) {
      services.count('lorawan_ignored_total');
      return;
    }
    const said = interpret(event, { model: device.model, arrivedAt: Date.now() });
    if (said.state !== undefined) services.report(device.address, said.state.state, said.state.detail);
    if (said.envelope !== undefined)
      await services.publish(device.address, { ...said.envelope, ...device.extra });
  };

  return (kind, body) => {
    const event = readEvent(kind, body);
    services.count('lorawan_events_total', { event: typeof event === 'string' ? 'unreadable' : event.kind });
    if (typeof event === 'string') {
      services.logger.warn({ reason: event }, 'ChirpStack event not understood');
      return Promise.resolve(event);
    }
    const first = seen.get(event.key);
    if (first !== undefined) {
      services.count('lorawan_copies_total');
      return first;
    }
    const work = store(event);
    if (event.key !== '') seen.set(event.key, work);
    const [oldest] = seen.keys();
    if (oldest !== undefined && seen.size > rememberedEvents) seen.delete(oldest);
    return work;
  };
}
