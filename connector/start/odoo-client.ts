// The client for Odoo and the store of its key, as the configuration says.
import type { ConnectorConfig } from '../config/load.ts';
import { createKeyStore, type KeyStore } from '../odoo/key-file.ts';
import { bindDatabase, boundDatabase } from '../db/odoo-binding.ts';
import type { Db } from '../db/pool.ts';
import { createBoundClient } from '../odoo/bound-client.ts';
import { createKeyedClient } from '../odoo/keyed-client.ts';
import type { OdooClient } from '../odoo/transport.ts';

/** The way to one Odoo. */
export interface OdooAccess {
  /** Undefined without ODOO_URL. */
  client: OdooClient | undefined;
  keys: KeyStore;
}

/**
 * Nothing is asked yet. Throws AppError `invalid` for an address that cannot work. Where our addons are, the client belongs to
 * one database of Odoo and refuses its copies.
 */
export function openOdoo(config: ConnectorConfig['odoo'], db: Db, hasAddons: boolean): OdooAccess {
  const keys = createKeyStore(config.api_key_file, config.api_key);
  const { url, database, login, transport } = config;
  const timeoutMs = config.timeout_seconds * 1000;
  if (url === '') return { client: undefined, keys };
  const client = createKeyedClient({ url, database, login, transport, timeoutMs }, keys);
  if (!hasAddons) return { client, keys };
  const binding = { read: () => boundDatabase(db), bind: (found: string) => bindDatabase(db, found) };
  return { client: createBoundClient(client, binding), keys };
}
