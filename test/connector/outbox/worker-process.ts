// A worker as a process of its own, for a test that kills it. Says `ready` and runs until it is killed.
import { openPool } from '../../../connector/db/pool.ts';
import { createOdooClient } from '../../../connector/odoo/client.ts';
import { createOutboxWorker } from '../../../connector/outbox/worker.ts';
import { logger } from './fixture.ts';

const [databaseUrl = '', odooUrl = ''] = process.argv.slice(2);
const worker = createOutboxWorker({
  db: openPool(databaseUrl, 4, logger),
  client: createOdooClient({ url: odooUrl, database: 'x', login: 'x', apiKey: 'x', transport: 'json2' }),
  logger,
  options: { batchSize: 50, leaseMs: 300, pollMs: 20 },
});
worker.start();
console.log('ready');
