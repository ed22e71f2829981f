// Starts pymodbus, a Modbus server that we did not write, from a Python environment in the user's cache folder.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { freePort } from '../../support/free-port.ts';
import type { Line } from '../../../gateways/modbus/settings.ts';

const packages = ['pymodbus==3.16.1', 'pyserial==3.5'];
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
const home = join(cache, 'smart-dairy', 'pymodbus-3.16.1');
const python = join(home, 'bin', 'python');

/** False when pymodbus can be used, else the reason to skip. The first call installs it, which takes some seconds. */
export function noPymodbus(): string | false {
  if (existsSync(python)) return false;
  const fresh = `${home}.${process.pid}`;
  try {
    mkdirSync(dirname(home), { recursive: true });
    execFileSync('python3', ['-m', 'venv', fresh], { stdio: 'pipe' });
    execFileSync(join(fresh, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...packages], {
      stdio: 'pipe',
    });
    renameSync(fresh, home);
    return false;
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    return `no pymodbus: Python 3 with venv and a package index are needed (${String(error).split('\n')[0] ?? ''})`;
  }
}

/** A running server; it ends with the test. */
export async function startPymodbus(t: TestContext, transport: Line['transport']): Promise<Line> {
  const port = await freePort();
  const child = spawn(python, [join(import.meta.dirname, 'pymodbus-server.py'), transport, String(port)], {
    // It writes every frame there.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  // A whole line: Python may write it in pieces.
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const [, path = ''] = line.split(' ');
  if (transport === 'rtu')
    return { transport, path, baudRate: 19_200, dataBits: 8, parity: 'none', stopBits: 1 };
  return { transport, host: '127.0.0.1', port };
}
