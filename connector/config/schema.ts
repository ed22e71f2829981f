// The schema of config/connector.yaml, put together from the sections of the parts: types, defaults, checks and reference page.
import * as z from 'zod';
import { logSection } from '../../contract/runtime/logger.ts';
import { presenceSection } from '../alerts/presence-section.ts';
import { databaseSection } from '../db/section.ts';
import { devicesSection } from '../ingest/devices-section.ts';
import { intakeSection } from '../ingest/section.ts';
import { retentionSection } from '../jobs/retention-section.ts';
import { storageSection } from '../jobs/storage-section.ts';
import { milkSection } from '../milkings/section.ts';
import { odooSection } from '../odoo/section.ts';
import { restSection } from '../rest/section.ts';
import { kafkaSection } from '../sources/kafka-section.ts';
import { mqttSection } from '../sources/mqtt-section.ts';

/** config/connector.yaml. The descriptions are the reference page, docs/configuration.md. */
export const configSchema = z.strictObject({
  role: z
    .enum(['connector', 'bridge'])
    .default('connector')
    .describe('bridge only moves messages from the broker into the log (kafka); see docs/scaling.md'),
  log: logSection,
  database: databaseSection,
  mqtt: mqttSection,
  kafka: kafkaSection,
  intake: intakeSection,
  milk: milkSection,
  presence: presenceSection,
  odoo: odooSection,
  rest: restSection,
  retention: retentionSection,
  storage: storageSection,
  devices: devicesSection,
});
