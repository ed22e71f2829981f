// A further connector process beside a test's first one: same database and broker, an address of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually, type TestConnector } from './connector.ts';
import { endChild } from './end.ts';
import { freePort } from './free-port.ts';

/** A running process. */
export interface Member {
  url: string;
  pid: number;
  log: () => string;
  /** The status that /health/ready gives now; undefined while nothing answers. */
  status: () => Promise<
    { status: string; checks: Record<string, { ok: boolean; detail: string }> } | undefined
  >;
  /** Counters since the start of the process, see /api/v1/status. */
  counts: () => Promise<Record<string, number>>;
  waitFor: (status: readonly string[]) => Promise<void>;
  /** Sends a signal and waits for the end; the exit code, null after a kill. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
  exited: Promise<number | null>;
  /** For `after`: it is needed no more. */
  end: () => Promise<void>;
}

/** Starts one; it may still be starting when this returns. */
export async function startMember(
  of: TestConnector,
  options: { config?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Member> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(process.execPath, ['connector/main.ts', '--config', options.config ?? of.config], {
    env: { ...of.env, CONNECTOR_URL: url, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (output += data.toString()));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${of.token}` };
    return (await fetch(url + path, { headers, signal: AbortSignal.timeout(2_000) })).json();
  };
  const status: Member['status'] = () =>
    get('/health/ready').then(
      (body) => body as Awaited<ReturnType<Member['status']>>,
      () => undefined,
    );
  return {
    url,
    pid: child.pid ?? 0,
    log: () => output,
    status,
    counts: async () => (await get('/api/v1/status')) as Record<string, number>,
    waitFor: (wanted) =>
      eventually(`status ${wanted.join(' or ')}`, async () => {
        if (child.exitCode !== null) throw new Error(`connector ended with ${child.exitCode}:\n${output}`);
        return wanted.includes((await status())?.status ?? '');
      }),
    exited,
    end: () => endChild(child),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exited;
    },
  };
}
