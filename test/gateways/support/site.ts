// A section of gateway.yaml resolved as in a file: farm1 with gateway gw1, no profiles; complaints are collected.
import type { Protocol, Site } from '../../../gateways/shared/protocol.ts';

/** Settings of a section and the complaints about it, as `path: message`. */
export function resolveSection<Section, Settings>(
  protocol: Pick<Protocol<Section, Settings>, 'schema' | 'resolve'>,
  section: unknown,
): { settings: Settings; problems: string[] } {
  const problems: string[] = [];
  const site: Site = {
    farm: 'farm1',
    gateway: 'gw1',
    kgPerLitre: 1.03,
    heartbeatMs: 60_000,
    profiles: new Map(),
    catalogue: new Map(),
    complain: (path, message) => void problems.push(`${path.join('.')}: ${message}`),
    claim: () => undefined,
  };
  return { settings: protocol.resolve(protocol.schema.parse(section), site), problems };
}
