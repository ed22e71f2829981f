// Serial devices for tests: a pty that can be unplugged.
import { execFileSync, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** False when there are ptys, else the reason to skip. */
export function noPty(): string | false {
  try {
    execFileSync('python3', ['-c', 'import os; os.openpty()'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'no ptys: Python 3 is needed';
  }
}

export interface SerialDevice {
  /** What the program under test opens. It exists while the device is plugged in. */
  path: string;
  plug(): Promise<void>;
  unplug(): Promise<void>;
  send(bytes: string | Uint8Array): void;
  /** What the program under test writes. */
  onReceived(listener: (bytes: Buffer) => void): void;
}

/** A device that is not plugged in yet; it ends with the test. */
export function serialDevice(t: TestContext): SerialDevice {
  const folder = mkdtempSync(join(tmpdir(), 'serial-'));
  const path = join(folder, 'usb-reader');
  const child = spawn('python3', [join(import.meta.dirname, 'pty.py'), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const events = new EventEmitter();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [word = '', hex = ''] = line.split(' ');
    events.emit(word, Buffer.from(hex, 'hex'));
  });
  const order = async (word: string) => {
    const ready = once(events, 'READY');
    child.stdin.write(`${word}\n`);
    await ready;
  };
  return {
    path,
    plug: () => order('plug'),
    unplug: () => order('unplug'),
    onReceived: (listener) => void events.on('GOT', listener),
    send: (bytes) =>
      void child.stdin.write(
        `send ${(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes)).toString('hex')}\n`,
      ),
  };
}
