// The client for Odoo and the store of its key, as the configuration says.
import type { ConnectorConfig } from '../config/load.ts';
import { createKeyStore, type KeyStore } from '../odoo/key-file.ts';
import { createKeyedClient } from '../odoo/keyed-client.ts';
import type { OdooClient } from '../odoo/transport.ts';

/** The way to one Odoo. */
export interface OdooAccess {
  /** Undefined without ODOO_URL. */
  client: OdooClient | undefined;
  keys: KeyStore;
}

/** Nothing is asked yet. Throws AppError `invalid` for an address that cannot work. */
export function openOdoo(config: ConnectorConfig['odoo']): OdooAccess {
  const keys = createKeyStore(config.api_key_file, config.api_key);
  const { url, database, login, transport } = config;
  const timeoutMs = config.timeout_seconds * 1000;
  const client =
    url === '' ? undefined : createKeyedClient({ url, database, login, transport, timeoutMs }, keys);
  return { client, keys };
}
