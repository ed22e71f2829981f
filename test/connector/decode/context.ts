// What decoding works with in these tests: the product's own catalogue and profiles.
import type { DecodeContext } from '../../../connector/decode/message.ts';
import { loadMetrics, loadProfiles } from '../../../contract/runtime/profiles.ts';
import { canonicalTemplate, compileTopicTemplate } from '../../../contract/topics.ts';

const catalogue = loadMetrics('config/metrics.yaml');

/** Moment of arrival in these tests. */
export const now = Date.parse('2026-11-20T06:00:00Z');

/** A context with the shipped configuration, parts of it changed. */
export function decodeContext(changes: Partial<DecodeContext> = {}): DecodeContext {
  return {
    templates: [compileTopicTemplate(canonicalTemplate)],
    catalogue,
    profiles: loadProfiles('config/profiles', catalogue),
    assignedProfile: () => undefined,
    kgPerLitre: 1.03,
    zoneOf: () => undefined,
    maxPayloadBytes: 262_144,
    maxFutureMs: 10 * 60_000,
    maxPastMs: 90 * 86_400_000,
    ...changes,
  };
}

/** A payload's bytes. */
export const bytes = (payload: unknown) =>
  Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
