// The `database:` section of connector.yaml.
import * as z from 'zod';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const databaseSection = z
  .strictObject({
    url: z.string().min(1).describe('postgres://user:password@host:port/database'),
    pool_size: z.int().min(2).default(8).describe('Connections at most, for data and jobs'),
    query_pool_size: z.int().min(1).default(4).describe('Connections at most for queries over REST'),
    query_timeout_seconds: z
      .number()
      .positive()
      .default(30)
      .describe('A query over REST is ended after this time'),
    edition: z
      .enum(['auto', 'plain'])
      .default('auto')
      .describe('plain does without TimescaleDB even where the server has it; decided at the first start'),
  })
  .describe('Where readings, milkings and the outbox are');
