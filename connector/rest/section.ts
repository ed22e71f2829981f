// The `rest:` section of connector.yaml.
import * as z from 'zod';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const restSection = z
  .strictObject({
    url: z
      .url({ protocol: /^http$/ })
      .default('http://127.0.0.1:8080')
      .describe('Where it listens'),
    host: z
      .string()
      .default('')
      .describe('Address to bind instead of the one in url; 0.0.0.0 in a container'),
    token: z
      .string()
      .min(16, 'needs at least 16 characters; set CONNECTOR_TOKEN')
      .describe('Bearer token of all routes but health, metrics and the API description'),
    requests_per_minute: z.int().min(1).default(60_000).describe('More of one token are answered with 429'),
    failed_logins_per_minute: z
      .int()
      .min(1)
      .default(60)
      .describe('Wrong tokens from one address; more are answered with 429'),
    max_body_bytes: z
      .int()
      .min(1_000)
      .default(8_000_000)
      .describe('Largest body of a batch of rows; 10,000 rows have 1 to 3 MB'),
  })
  .describe('The REST API and the live stream');
