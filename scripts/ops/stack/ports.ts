// Picks free TCP ports: the remembered one, else the usual one, else the next that is free.
import { createServer } from 'node:net';
import type { InstanceName, Ports } from './types.ts';

const usualPorts: Ports = {
  postgres: 5432,
  mqtt: 1883,
  mqttBound: 1884,
  odoo: 8069,
  connector: 8080,
  modbus: 5020,
  rfid: 5021,
  intake: 8085,
};

/** Tests and benchmarks keep away from the ports that a person's own services and the demo like to have. */
const offsets: Readonly<Record<InstanceName, number>> = {
  demo: 0,
  bench: 10_000,
  test: 20_000,
  chaos: 15_000,
};

export function usual(instance: InstanceName): Ports {
  const offset = offsets[instance];
  const { postgres, mqtt, mqttBound, odoo, connector, modbus, rfid, intake } = usualPorts;
  return {
    postgres: postgres + offset,
    mqtt: mqtt + offset,
    mqttBound: mqttBound + offset,
    odoo: odoo + offset,
    connector: connector + offset,
    modbus: modbus + offset,
    rfid: rfid + offset,
    intake: intake + offset,
  };
}

const searchWidth = 200;

type PortTest = (port: number) => Promise<boolean>;

/** The first free port from `from` on that is not in `taken`. Throws when 200 in a row are taken. */
export async function nextFreePort(
  from: number,
  taken: ReadonlySet<number> = new Set(),
  isFree: PortTest = isPortFree,
): Promise<number> {
  for (let port = from; port < from + searchWidth; port += 1) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no free port from ${from} to ${from + searchWidth - 1}: stop a service that uses one`);
}

/**
 * One free port per service, all different. A remembered port is kept while it is free, so that addresses stay the same
 * from start to start.
 */
export async function pickPorts(
  wanted: Ports,
  remembered: Ports | undefined,
  isFree: PortTest,
): Promise<Ports> {
  const taken = new Set<number>();
  const pick = async (service: keyof Ports): Promise<number> => {
    const kept = remembered?.[service];
    const isKept = kept !== undefined && !taken.has(kept) && (await isFree(kept));
    const port = isKept ? kept : await nextFreePort(wanted[service], taken, isFree);
    taken.add(port);
    return port;
  };
  return {
    postgres: await pick('postgres'),
    mqtt: await pick('mqtt'),
    mqttBound: await pick('mqttBound'),
    odoo: await pick('odoo'),
    connector: await pick('connector'),
    modbus: await pick('modbus'),
    rfid: await pick('rfid'),
    intake: await pick('intake'),
  };
}

/** True when nothing listens on the port, neither on loopback nor on all addresses. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '0.0.0.0'));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => done(true)));
  });
}
