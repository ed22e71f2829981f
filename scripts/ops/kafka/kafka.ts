// A real Kafka for tests and trials: one KRaft node from Maven Central's jars, on the loopback interface, in a folder that goes when it stops.
import { execFile, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cacheDir } from '../stack/instance.ts';
import { nextFreePort } from '../stack/ports.ts';
import { startTied } from './tied.ts';

const version = '4.1.1';
/** Where to look for free ports; not the same place in processes that start one at the same time. */
const firstPort = 38_000 + 2 * (process.pid % 500);
const startMs = 60_000;
const downloadMs = 300_000;
const run = promisify(execFile);

/** A running Kafka. */
export interface Kafka {
  /** host:port */
  brokers: string;
  stop: () => Promise<void>;
}

/** False when this machine can run Kafka, else the reason to skip. The first time, its jars are fetched through Maven. */
export async function noKafka(): Promise<string | false> {
  try {
    const { stderr } = await run('java', ['-version']);
    const major = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
    if (major < 17) return `no Kafka: it needs Java 17, this is ${major}`;
  } catch {
    return 'no Kafka: there is no Java on this machine';
  }
  try {
    await jars();
    return false;
  } catch (error) {
    return `no Kafka: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`;
  }
}

/** Starts one node without topics. Stop it in `after`. */
export async function startKafka(): Promise<Kafka> {
  const folder = mkdtempSync(join(tmpdir(), 'smart-dairy-kafka-'));
  const classpath = join(await jars(), '*');
  const port = await nextFreePort(firstPort);
  const controller = await nextFreePort(port + 1);
  const config = join(folder, 'server.properties');
  writeFileSync(config, properties(port, controller, join(folder, 'data')));
  const java = (heap: string, main: string, ...args: string[]) => [
    `-Xmx${heap}`,
    '-cp',
    classpath,
    main,
    ...args,
  ];
  const id = randomBytes(16).toString('base64url');
  await run('java', java('256m', 'kafka.tools.StorageTool', 'format', '-t', id, '-c', config));
  const log = openSync(join(folder, 'kafka.log'), 'a');
  // A test process that ends in a hurry, or is killed, takes its Kafka along.
  const node = startTied(['java', ...java('512m', 'kafka.Kafka', config)], folder, log);
  closeSync(log);
  const stop = async () => {
    await node.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(node.child, port);
    return { brokers: `127.0.0.1:${port}`, stop };
  } catch (error) {
    const text = readFileSync(join(folder, 'kafka.log'), 'utf8').slice(-2_000);
    await stop();
    throw new Error(`Kafka did not start: ${text}`, { cause: error });
  }
}

const properties = (port: number, controller: number, data: string) => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
log.dirs=${data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
`;

async function answers(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + startMs;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`Kafka ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await sleep(100);
  }
  throw new Error(`no answer in ${startMs / 1000} s`);
}

/** The folder with Kafka's jars, fetched through the machine's Maven settings when it is not there yet. */
async function jars(): Promise<string> {
  const folder = join(cacheDir(), `kafka-${version}`);
  if (existsSync(folder)) return folder;
  const part = `${folder}.${process.pid}`;
  mkdirSync(part, { recursive: true });
  try {
    const pom = join(part, 'pom.xml');
    writeFileSync(pom, pomText);
    const goal = [
      '-B',
      '-q',
      '-f',
      pom,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${part}`,
    ];
    await run('mvn', goal, { timeout: downloadMs });
    // Somebody else may have been faster.
    if (!existsSync(folder)) renameSync(part, folder);
    return folder;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

const pomText = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>smart-dairy</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version>
  </dependency></dependencies>
</project>
`;
