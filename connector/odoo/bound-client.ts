// An Odoo client that belongs to one database: with a copy of it, it exchanges nothing, in neither direction.
import * as z from 'zod';
import { OdooError } from './errors.ts';
import type { OdooClient } from './transport.ts';

/** Keeps which database the connector belongs to. */
export interface Binding {
  /** The UUID of the database; undefined before the first contact. */
  read: () => Promise<string | undefined>;
  /** Belongs to this one unless it belongs to one already; answers the one that it belongs to. */
  bind: (database: string) => Promise<string>;
}

/** In the context of each call: our addon refuses it in another database, so nothing slips through between two looks. */
const meantKey = 'smart_dairy_database';
const infoSchema = z.looseObject({ database: z.string().min(1).optional() });
/** An addon of a former version does not say which database it is in; it may have been updated meanwhile. */
const askAgainMs = 60_000;

const copyText =
  'this Odoo database is a copy of the one that the connector belongs to, or another one: nothing is sent to it or taken from it. ' +
  'Set ODOO_URL and ODOO_DB right, or connect it anew (docs/odoo.md, Copies of the database)';

/** A client over `client`, whose Odoo has our addons. Asks which database it is before the first call. */
export function createBoundClient(client: OdooClient, binding: Binding): OdooClient {
  let known: { database: string | undefined; until: number } | undefined;

  async function database(signal?: AbortSignal): Promise<string | undefined> {
    if (known !== undefined && Date.now() < known.until) return known.database;
    const info = infoSchema.safeParse(await client.call('iot.connector', 'key_info', {}, signal));
    const found = info.success ? info.data.database : undefined;
    const bound = found === undefined ? await binding.read() : await binding.bind(found);
    if (bound !== found) {
      const text =
        found === undefined ? 'the addon does not say which database it is in: update it' : copyText;
      throw new OdooError('misconfigured', text);
    }
    known = { database: found, until: found === undefined ? Date.now() + askAgainMs : Infinity };
    return found;
  }

  return {
    ...client,
    async call(model, method, args, signal) {
      const meant = await database(signal);
      if (meant === undefined) return client.call(model, method, args, signal);
      const context = { ...(args['context'] as object | undefined), [meantKey]: meant };
      try {
        return await client.call(model, method, { ...args, context }, signal);
      } catch (error) {
        // Another database may stand there now, restored under the same name.
        if (error instanceof OdooError && error.reason === 'misconfigured') known = undefined;
        throw error;
      }
    },
  };
}
