// Looking into a test's Odoo database, as its administrator.
import { createOdooClient } from '../../connector/odoo/client.ts';
import type { TestOdoo } from './stack.ts';

/** Calls on a test's Odoo. */
export interface OdooAdmin {
  call: (model: string, method: string, args: Record<string, unknown>) => Promise<unknown>;
  /** search_read. */
  read: <T = Record<string, unknown>>(model: string, domain: unknown[], fields: string[]) => Promise<T[]>;
  /** One write of a person. */
  write: (model: string, ids: number[], values: Record<string, unknown>) => Promise<void>;
}

/** The administrator of a test's database. */
export const odooAdmin = (odoo: TestOdoo): OdooAdmin => odooUser(odoo, odoo.login, odoo.password);

/** The integration user: it alone may say of a record where it comes from, and in which revision. */
export const odooIntegration = (odoo: TestOdoo): OdooAdmin =>
  odooUser(odoo, 'smart_dairy_connector', odoo.apiKey);

function odooUser(odoo: TestOdoo, login: string, apiKey: string): OdooAdmin {
  const client = createOdooClient({ url: odoo.url, database: odoo.db, login, apiKey, transport: 'jsonrpc' });
  return {
    call: (model, method, args) => client.call(model, method, args),
    read: async <T>(model: string, domain: unknown[], fields: string[]) =>
      (await client.call(model, 'search_read', { domain, fields, order: 'id' })) as T[],
    write: async (model, ids, values) => {
      await client.call(model, 'write', { ids, vals: values });
    },
  };
}
