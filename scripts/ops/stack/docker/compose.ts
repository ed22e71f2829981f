// Calls `docker compose` for one instance.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repoDir } from '../instance.ts';
import { failureOf } from '../last-words.ts';
import type { Instance } from '../types.ts';

/** Variables of docker-compose.yml; exists while this instance's containers do. */
export const dockerEnvFile = (instance: Instance): string => join(instance.dir, 'docker.env');

/** Runs one `docker compose` command to its end; returns its standard output, throws with its messages. */
export async function compose(
  instance: Instance,
  args: string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  // Two clones on one machine are two projects.
  const project = `smart-dairy-${createHash('sha256').update(instance.dir).digest('hex').slice(0, 8)}`;
  const command = ['compose', '--project-name', project, '--env-file', dockerEnvFile(instance), ...args];
  const running = promisify(execFile)('docker', command, {
    cwd: repoDir,
    env: { ...process.env, ...options.env },
    maxBuffer: 64 * 1024 * 1024,
  });
  running.child.stdin?.end(options.input ?? '');
  return (
    await running.catch((error: unknown) => {
      throw failureOf(`docker compose ${args.join(' ')}`, error);
    })
  ).stdout;
}
