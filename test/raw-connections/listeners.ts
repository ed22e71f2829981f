// The process of all listeners, for a test that throws connections at them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const token = 'a-token-of-this-test-only';

export interface Ports {
  rest: number;
  bridge: number;
  health: number;
  http: number;
  mqtt: number;
  coap: number;
}

export interface ListenerState {
  heap: number;
  sockets: number;
}

/** Starts it. `exited` is true once it has ended. */
export async function startListeners() {
  const file = join(import.meta.dirname, 'listeners-process.ts');
  const child = spawn(process.execPath, ['--expose-gc', file], { stdio: 'pipe' });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async <Answer>(): Promise<Answer> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`the listeners have ended: ${stderr}`);
    return JSON.parse(value) as Answer;
  };
  return {
    ports: await next<Ports>(),
    stderr: () => stderr,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    state(): Promise<ListenerState> {
      child.stdin.write('state\n');
      return next<ListenerState>();
    },
    async stop(): Promise<void> {
      const ended = once(child, 'exit');
      if (child.kill('SIGKILL')) await ended;
    },
  };
}
