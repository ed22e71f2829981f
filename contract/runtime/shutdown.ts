// Orderly shutdown: releasers run last-in-first-out with a hard cap; a second signal exits at once.
import { within } from '../deadline.ts';
import type { Logger } from './logger.ts';
import { messageOf } from '../errors.ts';

type Releaser = () => Promise<void> | void;

/** The releasers of one process. */
export interface Shutdown {
  /** Registers what must be released; the last one registered goes first. */
  onRelease(name: string, release: Releaser): void;
  /** Releases everything once. Every releaser runs, whatever the others do. */
  release(): Promise<void>;
}

/** Makes a stack of releasers; `capMs` bounds each of them. */
export function createShutdown(logger: Logger, capMs = 10_000): Shutdown {
  const stack: { name: string; release: Releaser }[] = [];
  let running: Promise<void> | undefined;
  const run = async () => {
    for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
      try {
        await within(capMs, Promise.try(entry.release), () => {
          throw new Error(`${entry.name} did not stop within ${capMs} ms`);
        });
      } catch (error) {
        logger.error({ releaser: entry.name, error: messageOf(error) }, 'releaser failed');
      }
    }
  };
  return {
    onRelease: (name, release) => stack.push({ name, release }),
    release: () => (running ??= run()),
  };
}

/**
 * Runs a daemon's main until SIGTERM or SIGINT, then releases and exits 0; a failed start exits 1 with its message: in JSON for a
 * log, in plain words where a person reads it.
 */
export function runMain(
  logger: Logger,
  main: (shutdown: Shutdown) => Promise<void>,
  forPeople = process.stderr.isTTY,
): void {
  const shutdown = createShutdown(logger);
  const leave = (code: number) => shutdown.release().then(() => process.exit(code));
  let signals = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (++signals > 1) process.exit(130);
      logger.info({ signal }, 'stopping');
      leave(0).catch(() => process.exit(1));
    });
  }
  // A main may also throw before its first await.
  Promise.try(main, shutdown).catch((error: unknown) => {
    if (forPeople) process.stderr.write(`could not start:\n${messageOf(error)}\n`);
    else logger.fatal({ error: messageOf(error) }, 'could not start');
    return leave(1);
  });
}
