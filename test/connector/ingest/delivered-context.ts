// Decoding with the metrics and profiles that are delivered, for tests through the writer.
import type { DecodeContext } from '../../../connector/decode/message.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { canonicalTemplate, compileTopicTemplate } from '../../../contract/topics.ts';

const minute = 60_000;

export const catalogue = loadMetrics('config/metrics.yaml');
export const context: DecodeContext = {
  templates: [compileTopicTemplate(canonicalTemplate)],
  catalogue,
  profiles: loadProfiles('config/profiles', catalogue),
  assignedProfile: () => undefined,
  zoneOf: () => undefined,
  kgPerLitre: 1.03,
  maxPayloadBytes: 100_000,
  maxFutureMs: minute,
  maxPastMs: 90 * 24 * 60 * minute,
};
