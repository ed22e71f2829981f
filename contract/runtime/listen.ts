// Servers that strangers reach: limits against slow senders, and errors that end nothing.
import type { Server } from 'node:net';
import { bounded } from './boundary.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from './logger.ts';

/** How long a request may take to come in: headers, and all of it. */
export const httpLimits = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5_000,
} as const;

/** Listens; rejects when the port cannot be had. A later error, as of too many open files, is logged with `what`. */
export async function listenOn(
  server: Server,
  { host, port }: { host: string; port: number },
  logger: Pick<Logger, 'error'>,
  what: string,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on(
    'error',
    bounded(logger, what, (error: Error) =>
      logger.error({ error: messageOf(error) }, `${what}: server error`),
    ),
  );
}
