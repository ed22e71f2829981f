// The `presence:` section of connector.yaml.
import * as z from 'zod';

/** Its schema; the descriptions are its part of docs/configuration.md. */
export const presenceSection = z
  .strictObject({
    gateway_lost_seconds: z
      .number()
      .positive()
      .default(60)
      .describe('A gateway that is away for so long raises one alert, gateway_lost'),
    device_offline_seconds: z
      .number()
      .positive()
      .default(600)
      .describe(
        'So does a registered device that its gateway does not reach, device_offline; not behind a lost gateway',
      ),
  })
  .prefault({})
  .describe('When somebody who is missing is worth an alert');
