// kill -9 with the broker away: what HTTP, LoRaWAN and RFID have taken is published by the next process, once.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { startOwnBroker, until, watch } from './support/broker.ts';
import { gatewayProcess, type GatewayProcess } from './support/process.ts';

const token = 'a-token-long-enough';
const count = 20;

interface Source {
  sections: string;
  /** Gives one of `count` messages; resolves when the gateway has confirmed it, where it does. */
  give(index: number): Promise<void>;
}

const post = async (port: number, path: string, body: unknown) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${response.status}`);
};

const sources: Record<string, (t: TestContext) => Promise<Source>> = {
  http: async () => {
    const port = await freePort();
    return {
      sections: `http: { port: ${port}, devices: [{ uid: store, type: temperature, token: ${token} }] }`,
      give: (index) => post(port, '/v1/data', { temperature: index }),
    };
  },
  lorawan: async () => {
    const port = await freePort();
    return {
      sections: `lorawan: { http: { port: ${port}, token: ${token} } }`,
      give: (index) =>
        post(port, '/?event=up', {
          deduplicationId: `d${index}`,
          time: new Date().toISOString(),
          deviceInfo: {
            applicationId: 'a',
            devEui: '0101010101010101',
            deviceName: 'ers',
            deviceProfileName: 'Elsys ERS',
          },
          fPort: 5,
          data: Buffer.from([0x01, 0x00, index]).toString('base64'),
        }),
    };
  },
  rfid: async (t) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return {
      sections: `rfid: { readers: [{ uid: gate, host: 127.0.0.1, port: ${port}, stall: '1', settle_ms: 0 }] }`,
      give: async (index) => {
        await until('the reader is connected', () => sockets.size > 0);
        for (const socket of sockets) socket.write(`982 ${String(1_000_000 + index).padStart(12, '0')}\r\n`);
      },
    };
  },
};

for (const [name, prepare] of Object.entries(sources)) {
  test(`${name}: what was taken before kill -9 arrives once`, async (t) => {
    const source = await prepare(t);
    const [brokerPort, healthPort] = [await freePort(), await freePort()];
    const gateway = gatewayProcess({
      farm: 'farm1',
      uid: 'gw',
      broker: { url: `mqtt://127.0.0.1:${brokerPort}` },
      sections: `health: { port: ${healthPort} }\n${source.sections}`,
    });
    t.after(() => gateway.drop());
    await gateway.start();
    await listening(gateway, name);
    for (let index = 0; index < count; index++) await source.give(index);
    // A reader gets no confirmation: ask the spool.
    await waiting(healthPort);
    await gateway.stop('SIGKILL');

    const broker = await startOwnBroker(brokerPort);
    t.after(() => broker.stop());
    const eyes = await watch(broker, 'dairy/+/+/+/data');
    t.after(() => eyes.close());
    await gateway.start();
    await until('all have arrived', () => eyes.seen.length >= count);
    assert.equal(await gateway.stop(), 0);
    assert.equal(eyes.seen.length, count);
    assert.equal(new Set(eyes.seen.map(({ text }) => text)).size, count);
  });
}

const listening = (gateway: GatewayProcess, name: string) =>
  name === 'rfid' ? undefined : until('it listens', () => / listens"/.test(gateway.log()));

async function waiting(healthPort: number): Promise<void> {
  let found = 0;
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${healthPort}/health/ready`);
    const { spool } = (await response.json()) as { spool: { waiting: number; unstored: number } };
    found = spool.waiting - spool.unstored;
  };
  const deadline = Date.now() + 30_000;
  while (found < count && Date.now() < deadline) await ask();
  assert.equal(found, count);
}
