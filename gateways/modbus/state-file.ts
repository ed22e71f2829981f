// Remembers each meter's last milking across restarts of the gateway: a small JSON file, replaced atomically.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import { AppError, messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { SessionMemory } from './session.ts';

const stateSchema = z.record(
  z.string(),
  z.strictObject({ counter: z.number(), open: z.boolean(), at: z.number() }),
);

export interface StateFile {
  get(uid: string): SessionMemory | undefined;
  /** Remembers, and writes soon; many changes make one write. */
  set(uid: string, memory: SessionMemory): void;
  /** Writes what is not written yet. */
  flush(): void;
}

const writeAfterMs = 200;

/** Opens the file, or starts afresh when there is none. Throws AppError `invalid` when its folder cannot be made. */
export function openStateFile(file: string, logger: Logger): StateFile {
  const state = new Map<string, SessionMemory>(Object.entries(readState(file, logger)));
  try {
    mkdirSync(dirname(file), { recursive: true });
  } catch (cause) {
    throw new AppError('invalid', `state_file ${file}: its folder cannot be made; choose another place`, {
      cause,
    });
  }
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    try {
      writeFileSync(`${file}.new`, `${JSON.stringify(Object.fromEntries(state), null, 1)}\n`, {
        mode: 0o600,
      });
      renameSync(`${file}.new`, file);
    } catch (error) {
      // Polling is worth more than the memory of it.
      logger.error({ file, error: messageOf(error) }, 'state not written; is the disk full?');
    }
  };
  return {
    get: (uid) => state.get(uid),
    set: (uid, memory) => {
      state.set(uid, memory);
      timer ??= setTimeout(flush, writeAfterMs);
    },
    flush,
  };
}

function readState(file: string, logger: Logger): z.infer<typeof stateSchema> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return {};
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (error) {
    logger.warn({ file, error: messageOf(error) }, 'state file not readable, starting without it');
    return {};
  }
}
