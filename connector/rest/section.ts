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
    farm_tokens: z
      .record(z.string(), z.string().min(16, 'needs at least 16 characters'))
      .default({})
      .describe('Farm → a token that reads what is of that farm, and nothing else'),
    open_requests_per_minute: z
      .int()
      .min(1)
      .default(1_200)
      .describe(
        'Without a token, from one address: health, metrics, the API description; more are answered with 429',
      ),
    failed_logins_per_minute: z
      .int()
      .min(1)
      .default(60)
      .describe('Wrong tokens and signatures from one address; more are answered with 429'),
    max_body_bytes: z
      .int()
      .min(1_000)
      .default(8_000_000)
      .describe('Largest body of a batch of rows; 10,000 rows have 1 to 3 MB'),
    max_connections_per_address: z
      .int()
      .min(1)
      .default(500)
      .describe('Open at a time; more are answered with 429'),
    max_connections: z.int().min(1).default(2_000).describe('Open at a time, of all; more are closed'),
    max_live_listeners: z
      .int()
      .min(1)
      .default(200)
      .describe('Of the live stream; more are answered with 503'),
    trusted_proxies: z
      .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
      .default([])
      .describe('Addresses or networks of reverse proxies: for limits, X-Forwarded-For then says who asks'),
  })
  .refine(({ token, farm_tokens: farmTokens }) => !Object.values(farmTokens).includes(token), {
    path: ['farm_tokens'],
    error: 'rest.token opens everything: a farm needs a token of its own',
  })
  .describe('The REST API and the live stream');
