// Whether the connection to the broker lasts: two clients with one id throw each other out for ever, and neither is broken.
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { backoffMs } from '../../contract/backoff.ts';

export interface SessionWatch {
  connected(): void;
  /** The broker says why it ends the connection. */
  takenOver(): void;
  lost(): void;
  /** How long to wait before the next connection. */
  reconnectMs(): number;
  close(): void;
}

/** A connection that lasts so long is a good one. */
const stableMs = 60_000;
/** Losses in a row, each soon after the connection was made, that are no accident. A broker without MQTT 5 gives no reason. */
const suspectAfter = 4;
const fightWaits = { baseMs: 2000, capMs: 60_000 };

/** `onTrouble` is told what is wrong, undefined when it is right again. */
export function createSessionWatch(
  clientId: string,
  logger: Logger,
  onTrouble: (detail: string | undefined) => void,
): SessionWatch {
  let losses = 0;
  let takeovers = 0;
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    const hint = 'does another gateway run with the same uid?';
    if (takeovers > 0) onTrouble(`another client has taken over the session '${clientId}': ${hint}`);
    else if (losses >= suspectAfter)
      onTrouble(`the connection of '${clientId}' ends again and again soon after it was made: ${hint}`);
  };
  const settled = () => {
    losses = 0;
    takeovers = 0;
    onTrouble(undefined);
  };
  return {
    connected: () => {
      clearTimeout(timer);
      timer = setTimeout(bounded(logger, 'session watch', settled), stableMs);
      timer.unref();
    },
    takenOver: () => {
      takeovers++;
      tell();
    },
    lost: () => {
      clearTimeout(timer);
      losses++;
      tell();
    },
    reconnectMs: () =>
      // Jitter, so that the gateways of a farm do not come back all at once.
      takeovers > 0 || losses >= suspectAfter
        ? backoffMs(Math.max(takeovers, losses - suspectAfter + 1), fightWaits)
        : 500 + Math.floor(Math.random() * 1000),
    close: () => clearTimeout(timer),
  };
}
