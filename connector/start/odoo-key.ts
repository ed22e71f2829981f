// The API key for Odoo: renewed in time, and an alert on every farm when that fails.
import { Gauge, type Registry } from 'prom-client';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { setIntegrationAlert } from '../alerts/integration.ts';
import type { ConnectorConfig } from '../config/load.ts';
import type { Db } from '../db/pool.ts';
import type { KeyStore } from '../odoo/key-file.ts';
import { createKeyKeeper, type KeyKeeper, type KeyStatus } from '../odoo/key-keeper.ts';
import type { OdooClient } from '../odoo/transport.ts';

/** Keeps the key of this client. */
export function keepKey(
  config: ConnectorConfig['odoo'],
  { client, keys, db, logger }: { client: OdooClient; keys: KeyStore; db: Db; logger: Logger },
): KeyKeeper {
  return createKeyKeeper({
    client,
    keys,
    logger,
    warnDays: config.key_warn_days,
    rotateDays: config.key_rotate_days,
    onWarning(detail) {
      setIntegrationAlert(db, detail, 'api-key').catch((error: unknown) =>
        logger.warn({ error: messageOf(error) }, 'alert about the API key not stored'),
      );
    },
  });
}

/** Registers when the key ends. */
export function registerKeyGauge(registry: Registry, status: (() => KeyStatus) | undefined): void {
  new Gauge({
    name: 'smart_dairy_odoo_key_expires_seconds',
    help: 'When the API key for Odoo ends, as epoch seconds',
    registers: [registry],
    collect() {
      const expires = status?.().expires;
      if (expires !== undefined) this.set(expires.getTime() / 1000);
    },
  });
}
