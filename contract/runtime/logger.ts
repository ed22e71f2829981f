// The logger of every daemon: pino, JSON lines on stderr, secrets redacted.
import { destination, pino, type Logger } from 'pino';
import { messageOf } from '../errors.ts';

export type { Logger } from 'pino';

const secretPaths = ['password', 'api_key', 'apiKey', 'token', 'authorization', 'url', 'secret'];

/** A logger for one daemon. `level` comes from the daemon's configuration or LOG_LEVEL. */
export function createLogger(name: string, level = process.env['LOG_LEVEL'] ?? 'info'): Logger {
  return pino(
    {
      name,
      level,
      // Pino's JSON of an Error has no message.
      serializers: { error: (error: unknown) => (error instanceof Error ? messageOf(error) : error) },
      redact: [...secretPaths, ...secretPaths.map((path) => `*.${path}`)],
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    destination({ dest: 2, sync: true }),
  );
}
