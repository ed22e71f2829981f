// Keeps the API key alive: knows when it ends, warns in time, and asks Odoo for a new one while the old one still works.
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import * as z from 'zod';
import { OdooError } from './errors.ts';
import type { KeyStore } from './key-file.ts';
import type { OdooClient } from './transport.ts';

/** What the keeper needs. */
export interface KeyKeeperConfig {
  client: OdooClient;
  keys: KeyStore;
  logger: Logger;
  /** Days before the end at which people are warned. */
  warnDays: number;
  /** Days before the end at which a new key is fetched, where there is a file to keep it. */
  rotateDays: number;
  /** The warning, or undefined when it is over. Called on change. */
  onWarning: (detail: string | undefined) => void;
}

/** What is known of the key. */
export interface KeyStatus {
  expires: Date | undefined;
  /** The warning, if there is one. */
  warning: string | undefined;
}

/** The keeper. */
export interface KeyKeeper {
  /** Asks Odoo when the key ends, and rotates or warns. Never throws: Odoo may be away. */
  check(): Promise<void>;
  /** Fetches a new key now. Throws AppError `invalid` without a file, OdooError when Odoo gives none. */
  rotate(): Promise<Date | undefined>;
  status: () => KeyStatus;
}

const moment = z
  .union([z.string(), z.literal(false), z.null()])
  .optional()
  .transform((text) => (typeof text === 'string' ? new Date(`${text.replace(' ', 'T')}Z`) : undefined));
const infoSchema = z.object({ expires: moment });
const rotatedSchema = z.object({ api_key: z.string().min(20), expires: moment });
const dayMs = 86_400_000;

/** Makes a keeper; nothing is asked before check(). */
export function createKeyKeeper(config: KeyKeeperConfig): KeyKeeper {
  const { client, keys, logger } = config;
  const status: KeyStatus = { expires: undefined, warning: undefined };

  async function rotate(): Promise<Date | undefined> {
    // First: a key that cannot be kept must not be made, the old one would end.
    keys.write(keys.read());
    const answer = rotatedSchema.safeParse(await client.call('iot.connector', 'rotate_key', {}));
    if (!answer.success)
      throw new OdooError('misconfigured', 'iot.connector.rotate_key gave no key: update smart_dairy_iot');
    keys.write(answer.data.api_key);
    logger.info({ expires: answer.data.expires }, 'Odoo gave a new API key');
    status.expires = answer.data.expires;
    await info();
    setWarning(undefined);
    return status.expires;
  }

  /** With whatever key holds: after a rotation this is the first use of the new one. */
  async function info(): Promise<void> {
    const answer = infoSchema.safeParse(await client.call('iot.connector', 'key_info', {}));
    if (answer.success) status.expires = answer.data.expires;
  }

  function setWarning(warning: string | undefined): void {
    if (warning !== undefined) logger.warn({ expires: status.expires }, warning);
    if (status.warning === warning) return;
    status.warning = warning;
    config.onWarning(warning);
  }

  return {
    async check() {
      try {
        await info();
        let days = daysLeft(status.expires);
        if (days === undefined) return setWarning(undefined);
        let failure = '';
        if (days < config.rotateDays && keys.canWrite) {
          await rotate().catch((error: unknown) => (failure = `; rotation failed: ${messageOf(error)}`));
          days = daysLeft(status.expires) ?? Infinity;
        }
        setWarning(days < config.warnDays ? warningOf(days, keys.canWrite) + failure : undefined);
      } catch (error) {
        // An addon without key_info, or Odoo away: the outbox says what is wrong.
        logger.debug({ error: messageOf(error) }, 'the end of the API key is not known');
      }
    },
    rotate,
    status: () => ({ ...status }),
  };
}

const daysLeft = (expires: Date | undefined) =>
  expires === undefined ? undefined : (expires.getTime() - Date.now()) / dayMs;

function warningOf(days: number, canWrite: boolean): string {
  const when = days < 1 ? 'within a day' : `in ${Math.floor(days)} days`;
  const how = canWrite
    ? 'press Rotate key in Odoo, or put a new key into the file of odoo.api_key_file'
    : 'make a new key in Odoo and set ODOO_API_KEY, or set odoo.api_key_file so that the connector renews it itself';
  return `the API key for Odoo ends ${when}: ${how}`;
}
