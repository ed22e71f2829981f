// rest: batches of 1,000 rows over 8 connections, each answered row by row after the commit.
import { Agent, request } from 'node:http';
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { startBenchConnector, type BenchConnector } from './harness/connector.ts';
import { copyReference } from './harness/database.ts';
import { rounded } from './harness/numbers.ts';

const connections = 8;
/** A batch as a gateway sends it: each of its devices with all that it measures. */
const devices = 100;
const metrics = [
  ['milk_temperature', 'Cel'],
  ['milk_conductivity', 'mS/cm'],
  ['milk_flow', 'kg/min'],
  ['vacuum_pressure', 'kPa'],
  ['pulsation_rate', '/min'],
  ['milk_fat', '%'],
  ['milk_protein', '%'],
  ['milk_lactose', '%'],
  ['temperature', 'Cel'],
  ['humidity', '%'],
] as const;
const rowsPerBatch = devices * metrics.length;

interface Answer {
  accepted: number;
  duplicates: number;
  rejected: number;
}

/** Bodies of 1,000 rows, a minute old; no device says the same moment twice. */
function bodies(): () => string {
  let at = Date.now() - 60_000;
  return () => {
    const moment = new Date((at += 1)).toISOString();
    const rows = Array.from({ length: devices }, (_, device) =>
      metrics.map(
        ([name, unit]) =>
          `{"device_uid":"m${device}","farm_id":"bench","device_type":"milk_meter","metric_name":"${name}","metric_value":${at % 10}.${device},"metric_unit":"${unit}","timestamp":"${moment}"}`,
      ),
    );
    return `{"readings":[${rows.flat().join(',')}]}`;
  };
}

/** Posts one batch. Throws on any answer but success. */
function post(agent: Agent, { url, token }: BenchConnector, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(
      `${url}/api/v1/ingest/sensor/batch`,
      { agent, method: 'POST', headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text) as Answer);
          else reject(new Error(`the connector answered ${response.statusCode}: ${text.slice(0, 500)}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Runs the benchmark. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const connector = await startBenchConnector(context);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  try {
    const next = bodies();
    await post(agent, connector, next());
    const seconds = context.quick ? 15 : 60;
    context.report(`batches of ${rowsPerBatch} over ${connections} connections, ${seconds} s`);
    const sums: Answer = { accepted: 0, duplicates: 0, rejected: 0 };
    const cpuBefore = connector.cpuS();
    const startedAt = performance.now();
    const worker = async () => {
      while (performance.now() - startedAt < seconds * 1000) {
        const answer = await post(agent, connector, next());
        for (const key of ['accepted', 'duplicates', 'rejected'] as const) sums[key] += answer[key];
      }
    };
    await Promise.all(Array.from({ length: connections }, worker));
    const rate = sums.accepted / ((performance.now() - startedAt) / 1000);
    const cpuUs = ((connector.cpuS() - cpuBefore) / sums.accepted) * 1e6;
    const rss = connector.peakRssMb();
    await connector.stop();
    const copy = await copyReference(context, connector.databaseUrl);
    return {
      edition: connector.versions['TimescaleDB'] ?? 'none',
      rows_per_s: rounded(rate),
      copy_rows_per_s: rounded(copy.rowsPerS),
      ratio: rounded(rate / copy.rowsPerS, 3),
      connector_cpu_us_per_row: rounded(cpuUs, 2),
      duplicates: sums.duplicates,
      rejected: sums.rejected,
      rss_mb: rounded(rss),
    };
  } finally {
    agent.destroy();
    await connector.drop();
  }
}
