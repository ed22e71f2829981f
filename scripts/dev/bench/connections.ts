// connections: 10,000 simulated devices, each with a connection of its own, each sending every 10 s.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { startBenchConnector } from './harness/connector.ts';
import { connectPacket, disconnectPacket, publishPacket } from './harness/mqtt-packets.ts';
import { rounded } from './harness/numbers.ts';

const devices = 10_000;
const everyMs = 10_000;
const connectsPerStep = 100;
const keepaliveS = 60;

interface Device {
  socket: Socket;
  uid: string;
  isConnected: boolean;
  sent: number;
  acknowledged: number;
}

/** Open files that this process, and the broker it started, may have. */
function openFileLimit(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  if (openFileLimit() < devices + 200)
    throw new Error(
      `${devices} connections need as many open files; this shell allows ${openFileLimit()}: ulimit -n 20000`,
    );
  const connector = await startBenchConnector(context);
  const { env } = context;
  const broker = new URL(env['MQTT_URL'] ?? '');
  const all: Device[] = [];
  let dropped = 0;
  let isOver = false;
  const open = (index: number) => {
    const socket = connect(Number(broker.port), broker.hostname);
    const device: Device = { socket, uid: `d${index}`, isConnected: false, sent: 0, acknowledged: 0 };
    socket.on('connect', () =>
      socket.write(
        connectPacket(
          `bench-${device.uid}`,
          env['MQTT_USERNAME'] ?? '',
          env['MQTT_PASSWORD'] ?? '',
          keepaliveS,
        ),
        'latin1',
      ),
    );
    socket.on('data', (data) => {
      if (device.isConnected) device.acknowledged += data.length / 4;
      else device.isConnected = data[0] === 0x20 && data[3] === 0;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!isOver) dropped += 1;
    });
    all.push(device);
  };
  try {
    context.report(`${devices} devices connect`);
    const startedAt = performance.now();
    while (all.length < devices) {
      for (let step = 0; step < connectsPerStep; step++) open(all.length);
      await sleep(50);
    }
    while (all.some(({ isConnected }) => !isConnected) && performance.now() - startedAt < 90_000)
      await sleep(100);
    const connected = all.filter(({ isConnected }) => isConnected).length;
    const connectS = (performance.now() - startedAt) / 1000;

    const rounds = context.quick ? 3 : 12;
    context.report(
      `${connected} are connected after ${connectS.toFixed(0)} s; each sends ${rounds} times, every 10 s`,
    );
    const sendStartedAt = performance.now();
    const publish = (device: Device) => {
      device.sent += 1;
      const payload = `{"v":1,"at":${Date.now()},"points":[{"m":"temperature","v":4.2}]}`;
      device.socket.write(
        publishPacket(`dairy/bench/temperature/${device.uid}/data`, device.sent, payload),
        'latin1',
      );
    };
    for (let round = 0; round < rounds; round++) {
      for (let slot = 0; slot < 100; slot++) {
        for (let index = slot; index < devices; index += 100) {
          const device = all[index];
          if (device?.isConnected === true) publish(device);
        }
        const dueAt = sendStartedAt + round * everyMs + ((slot + 1) * everyMs) / 100;
        await sleep(Math.max(0, dueAt - performance.now()));
      }
    }
    const sent = all.reduce((sum, device) => sum + device.sent, 0);
    const rate = sent / ((performance.now() - sendStartedAt) / 1000);
    await connector.committed(sent);
    const acknowledged = all.reduce((sum, device) => sum + device.acknowledged, 0);
    const { readings_written: stored } = await connector.status();
    isOver = true;
    return {
      edition: connector.versions['TimescaleDB'] ?? 'none',
      connections: connected,
      dropped,
      connect_s: rounded(connectS, 1),
      messages_per_s: rounded(rate),
      published: sent,
      acknowledged,
      stored,
      rss_mb: rounded(connector.peakRssMb()),
    };
  } finally {
    isOver = true;
    for (const { socket } of all) socket.end(disconnectPacket, 'latin1');
    await sleep(500);
    for (const { socket } of all) socket.destroy();
    await connector.drop();
  }
}
