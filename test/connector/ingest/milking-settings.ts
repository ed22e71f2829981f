// What milkings take of the configuration, for tests through the writer: no limits of a farm.
import type { MilkingSettings } from '../../../connector/ingest/publish-milkings.ts';
import { createLimitBook } from '../../../connector/rules/limits.ts';
import { rules } from '../milkings/event.ts';

export const milkingSettings: MilkingSettings = {
  rules,
  limits: createLimitBook(new Map()),
  rfidBeforeSeconds: 300,
  mostYieldKg: () => 100,
  meanDays: 30,
  meanLeastMilkings: 3,
};
