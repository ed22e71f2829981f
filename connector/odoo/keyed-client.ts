// An Odoo client whose key may change under it: refused, it reads the key again and repeats the call once.
import { createOdooClient, type OdooSettings } from './client.ts';
import { OdooError } from './errors.ts';
import type { KeyStore } from './key-file.ts';
import type { OdooClient } from './transport.ts';

/** A client over `keys`. Throws like createOdooClient. */
export function createKeyedClient(
  settings: Omit<OdooSettings, 'apiKey'>,
  keys: Pick<KeyStore, 'read'>,
): OdooClient {
  let key = keys.read();
  let client = createOdooClient({ ...settings, apiKey: key });
  /** Whether there is another key than the one that was refused. */
  const renew = (refused: OdooClient): boolean => {
    if (client !== refused) return true;
    const now = keys.read();
    if (now === key) return false;
    key = now;
    client = createOdooClient({ ...settings, apiKey: key });
    return true;
  };
  return {
    async call(model, method, args, signal) {
      const mine = client;
      try {
        return await mine.call(model, method, args, signal);
      } catch (error) {
        if (!(error instanceof OdooError) || error.reason !== 'denied' || !renew(mine)) throw error;
        return await client.call(model, method, args, signal);
      }
    },
    version: () => client.version(),
    describe: () => client.describe(),
  };
}
