// What npm start asks the connector: its counts, its health, and its live events.
import { WebSocket } from 'ws';
import type { EnvValues } from '../stack/types.ts';

/** Answer of GET /api/v1/status. */
export interface ConnectorStatus {
  messages_received: number;
  readings_written: number;
  duplicates: number;
  dead_letters: number;
  milkings_closed: number;
  outbox_pending: number;
  outbox_parked: number;
  odoo_sent: number;
  odoo_state: string;
  odoo_detail: string;
}

interface HealthCheck {
  ok: boolean;
  detail?: string;
}

export type LiveEvent =
  | { type: 'milking'; record: Record<string, unknown> }
  | { type: 'odoo'; kind: string; source_id: string; result: unknown };

export interface ConnectorView {
  status: ConnectorStatus | undefined;
  /** Words about what is not well, empty when all is. */
  troubles: string[];
}

/** Counts and troubles at this moment; never throws, a silent connector is a trouble too. */
export async function lookAtConnector(env: EnvValues): Promise<ConnectorView> {
  const [status, health] = await Promise.all([
    getJson<ConnectorStatus>(env, '/api/v1/status', [200]),
    getJson<{ checks?: Record<string, HealthCheck> }>(env, '/health/ready', [200, 503]),
  ]);
  if (health === undefined) return { status, troubles: ['the connector does not answer'] };
  const troubles = Object.entries(health.checks ?? {})
    .filter(([, check]) => !check.ok)
    .map(([name, check]) => `${name}: ${check.detail ?? 'not well'}`);
  return { status, troubles };
}

async function getJson<T>(env: EnvValues, path: string, codes: number[]): Promise<T | undefined> {
  try {
    const response = await fetch(`${env['CONNECTOR_URL'] ?? ''}${path}`, {
      headers: { authorization: `Bearer ${env['CONNECTOR_TOKEN'] ?? ''}` },
      signal: AbortSignal.timeout(3_000),
    });
    return codes.includes(response.status) ? ((await response.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}

const reconnectMs = 500;

/** Hands every live event to `onEvent`, reconnecting for ever. Returns a function that ends it. */
export function followConnector(env: EnvValues, onEvent: (event: LiveEvent) => void): () => void {
  const url = `${(env['CONNECTOR_URL'] ?? '').replace(/^http/, 'ws')}/api/v1/live`;
  let ended = false;
  let socket: WebSocket;
  const connect = (): void => {
    if (ended) return;
    socket = new WebSocket(url, { headers: { authorization: `Bearer ${env['CONNECTOR_TOKEN'] ?? ''}` } });
    socket.on('message', (data: Buffer) => onEvent(JSON.parse(data.toString('utf8')) as LiveEvent));
    socket.on('error', () => undefined);
    socket.on('close', () => setTimeout(connect, reconnectMs).unref());
  };
  connect();
  return () => {
    ended = true;
    socket.terminate();
  };
}
