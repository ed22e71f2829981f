// Hot standby: of the connectors with one name only the leader takes messages; the others answer health and wait.
import { hostname } from 'node:os';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Shutdown } from '../../contract/runtime/shutdown.ts';
import { contend, type Leadership } from '../db/leader.ts';
import type { Context } from './context.ts';

/** Why the source of messages may have to wait. */
type Reason = 'start' | 'database' | 'leadership' | 'log';

/** Lets the source run while nothing stands against it. */
export interface Gate {
  close(reason: Reason): void;
  open(reason: Reason): void;
}

/** A gate that is closed until everything is started. */
export function createGate(
  source: () => { start(): void; pause(): Promise<void> } | undefined,
  logger: Logger,
): Gate {
  const closed = new Set<Reason>(['start']);
  return {
    close(reason) {
      closed.add(reason);
      source()
        ?.pause()
        .catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'pause failed'));
    },
    open(reason) {
      closed.delete(reason);
      if (closed.size === 0) source()?.start();
    },
  };
}

/** Work that one connector of several does. */
export interface Turn {
  /** Queues up. */
  start(): void;
  /** It is this one's. */
  isMine: () => boolean;
  stop(): Promise<void>;
}

/**
 * Makes a place in the queue for work that keeps nothing in memory: whoever finds that another one had it meanwhile queues up again.
 * `name` says what work.
 */
export function queueUp(options: { url: string; name: string }, onTurn: () => void, logger: Logger): Turn {
  let stopping = false;
  const enter = (): Leadership =>
    contend(
      { ...options, holder: `${hostname()}:${process.pid}` },
      {
        onLead: onTurn,
        onLost: (detail) => logger.warn({ detail, name: options.name }, 'lock lost'),
        onOusted() {
          if (!stopping) contender = enter();
        },
      },
      logger,
    );
  let contender: Leadership | undefined;
  return {
    start() {
      contender ??= enter();
    },
    isMine: () => contender?.leads() === true,
    async stop() {
      stopping = true;
      await contender?.stop();
    },
  };
}

/** Members of a group share the messages of the log; of those on MQTT one takes them all, and the others wait here. */
export async function awaitTurn(
  { config, state }: Pick<Context, 'config' | 'state'>,
  gate: Gate,
  shutdown: Shutdown,
  logger: Logger,
): Promise<void> {
  if (config.intake.source !== 'mqtt') return;
  const lock = { url: config.database.url, name: `mqtt:${config.mqtt.client_id}` };
  await awaitLeadership(lock, gate, (contender) => (state.leadership = contender), shutdown, logger);
}

/**
 * Waits until this process leads; `onWaiting` gets the contender at once, for health answers. A leader that loses its lock
 * closes the gate. One that was replaced ends the process: what it has in memory is out of date, and started anew it is
 * the standby.
 */
async function awaitLeadership(
  options: { url: string; name: string },
  gate: Gate,
  onWaiting: (leadership: Leadership) => void,
  shutdown: Shutdown,
  logger: Logger,
): Promise<Leadership> {
  const first = Promise.withResolvers<undefined>();
  const leadership = contend(
    { ...options, holder: `${hostname()}:${process.pid}` },
    {
      onLead() {
        first.resolve(undefined);
        gate.open('leadership');
      },
      onLost(detail) {
        logger.warn({ detail }, 'the leader lock is lost: no more messages are taken');
        gate.close('leadership');
      },
      onOusted(detail) {
        logger.fatal({ detail }, 'another connector leads now; this one ends: start it again as the standby');
        gate.close('leadership');
        const leave = () => process.exit(1);
        shutdown.release().then(leave, leave);
      },
    },
    logger,
  );
  onWaiting(leadership);
  shutdown.onRelease('leadership', () => leadership.stop());
  await first.promise;
  return leadership;
}
