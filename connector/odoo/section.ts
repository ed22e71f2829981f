// The `odoo:` section of connector.yaml.
import * as z from 'zod';
import { defaultOutboxOptions } from '../outbox/options.ts';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const odooSection = z
  .strictObject({
    url: z.string().default('').describe('Empty: records wait in the outbox'),
    database: z.string().default('').describe('Name of the Odoo database'),
    login: z
      .string()
      .default('smart_dairy_connector')
      .describe('Integration user; JSON-RPC and XML-RPC need it'),
    api_key: z.string().default('').describe('Its API key, see docs/odoo.md'),
    transport: z
      .enum(['auto', 'json2', 'jsonrpc', 'xmlrpc'])
      .default('auto')
      .describe('auto: JSON-2 from Odoo 19 on, else JSON-RPC'),
    timeout_seconds: z.number().positive().default(30).describe('Of one call'),
    batch_size: z
      .int()
      .min(1)
      .max(5_000)
      .default(defaultOutboxOptions.batchSize)
      .describe('Records per call'),
    api_key_file: z
      .string()
      .default('')
      .describe(
        'File (mode 0600) whose key counts instead of api_key; read again when Odoo refuses the key, and written when the key is renewed',
      ),
    key_warn_days: z.int().min(1).default(14).describe('A warning so many days before the key ends'),
    key_rotate_days: z
      .int()
      .min(0)
      .default(30)
      .describe('With api_key_file, the connector renews the key so many days before it ends; 0 = never'),
    secret: z
      .string()
      .default('')
      .describe('Signs calls from Odoo, see docs/odoo-sync.md; empty: they are refused'),
    hook_token: z
      .string()
      .default('')
      .describe('Last part of the address for webhook actions of Odoo; empty: there is none'),
    pull_seconds: z
      .number()
      .positive()
      .default(30)
      .describe('How often Odoo is asked what has changed; Odoo also says so by itself'),
    mapping_file: z
      .string()
      .default('')
      .describe('For an Odoo with models of its own: config/odoo-mapping.yaml, see docs/odoo-sync.md'),
  })
  .prefault({})
  .describe('Where curated records go, and where farms, animals and devices come from');
