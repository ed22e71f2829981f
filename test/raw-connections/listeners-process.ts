// Every listener that the product has, in one process. Prints its ports as a line of JSON; answers a line `state` with the
// heap after a collection and the sockets that are open. Whatever is logged as an error goes to stderr.
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { startBridgeHealth } from '../../connector/start/bridge-health.ts';
import { startEmbeddedBroker } from '../../connector/sources/embedded-broker.ts';
import { createLiveHub } from '../../connector/live/hub.ts';
import { liveDoor } from '../../connector/rest/live-door.ts';
import { createApp, listen } from '../../connector/rest/server.ts';
import { systemRoutes } from '../../connector/rest/system-routes.ts';
import { protocol as coap } from '../../gateways/coap/protocol.ts';
import { protocol as http } from '../../gateways/http/protocol.ts';
import { startHealth } from '../../gateways/shared/health.ts';
import { appSettings, noConnectionLimits } from '../connector/rest/app-settings.ts';
import { recordServices } from '../gateways/support/services.ts';
import { freePort } from '../support/free-port.ts';
import { token, type ListenerState, type Ports } from './listeners.ts';

const here = '127.0.0.1';
const logger = pino({ level: 'error' }, pino.destination({ dest: 2, sync: true }));

const status = () => Promise.resolve({ messages_received: 3 });
const none = () => Promise.resolve([]);
const routes = systemRoutes({
  readiness: () => Promise.resolve({ status: 'ready', checks: {} as never }),
  registry: new Registry(),
  status,
  latestMilkings: none,
  parked: none,
  retryParked: () => Promise.resolve(0),
});
const settings = appSettings({ token });
const place = { host: here, port: 0 };
const rest = await listen(createApp(routes, settings, logger), place, noConnectionLimits, logger);
createLiveHub(liveDoor({ token, listeners: 1e6, logins: settings.logins }), logger).serve(rest);

const live = () => ({ code: 200, body: { status: 'live' } });
const bridge = await startBridgeHealth({ host: here, port: 0 }, new Map([['/health/live', live]]), logger);
const gateway = { metrics: () => Promise.resolve('x 1\n'), ready: () => ({ status: 'ready' as const }) };
const health = await startHealth({ host: here, port: 0 }, gateway, logger);

const mqtt = await freePort();
const sink = {
  push: (message: { settle: (outcome: { kind: 'ignored' }) => void }) => message.settle({ kind: 'ignored' }),
  isFull: () => false,
  onDrain: () => undefined,
};
const account = { username: 'farm', password: token };
await startEmbeddedBroker({ port: mqtt, ...account, filters: ['dairy/#'], maxRetained: 100 }, sink, logger);

/** Starts a gateway's protocol with one device and tells its port. */
async function start(protocol: typeof http | typeof coap): Promise<number> {
  const { services } = recordServices();
  const listening = Promise.withResolvers<number>();
  const info = ({ port }: { port?: number }) => port !== undefined && listening.resolve(port);
  const devices = [{ uid: 'cold-store', type: 'temperature', token }];
  protocol.start(protocol.schema.parse({ port: 0, devices }), {
    ...services,
    // Kept for nobody: the heap is measured.
    publish: () => Promise.resolve(true),
    publishRaw: () => Promise.resolve(true),
    count: () => undefined,
    logger: Object.assign(pino({ level: 'error' }, pino.destination({ dest: 2, sync: true })), { info }),
  });
  return listening.promise;
}

const ports: Ports = {
  rest: (rest.address() as AddressInfo).port,
  bridge: (bridge.address() as AddressInfo).port,
  health: health.port,
  http: await start(http),
  mqtt,
  coap: await start(coap),
};
console.log(JSON.stringify(ports));

createInterface(process.stdin).on('line', () => {
  globalThis.gc?.();
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const state: ListenerState = { heap: process.memoryUsage().heapUsed, sockets };
  console.log(JSON.stringify(state));
});
