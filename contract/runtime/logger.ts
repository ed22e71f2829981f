// The logger of every daemon: pino, JSON lines on stderr, secrets redacted.
import { destination, pino, type Logger } from 'pino';
import * as z from 'zod';
import { messageOf } from '../errors.ts';

export type { Logger } from 'pino';

const secretPaths = ['password', 'api_key', 'apiKey', 'token', 'authorization', 'url', 'secret'];

/** The `log:` section of connector.yaml and gateway.yaml. A daemon sets `logger.level` by it once it has read its file. */
export const logSection = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('Least severe lines that are written'),
  })
  .prefault({})
  .describe('What the process says on stderr');

/** Most that waits in memory while the disk of the log is full; what comes then is not logged. */
const longestBacklog = 1_000_000;

/** A logger for one daemon. A full disk costs log lines, never the daemon. */
export function createLogger(name: string, level = 'info'): Logger {
  const out = destination({ dest: 2, sync: true, maxLength: longestBacklog });
  out.on('error', () => undefined);
  return pino(
    {
      name,
      level,
      // Pino's JSON of an Error has no message.
      serializers: { error: (error: unknown) => (error instanceof Error ? messageOf(error) : error) },
      redact: [...secretPaths, ...secretPaths.map((path) => `*.${path}`)],
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    out,
  );
}
