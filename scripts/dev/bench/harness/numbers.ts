// Percentiles and rounding of what was measured.

/** The value below which `share` (0…1) of the samples lie; NaN without samples. Sorts in place. */
export function percentile(samples: Float64Array, share: number): number {
  if (samples.length === 0) return Number.NaN;
  samples.sort();
  return samples[Math.min(samples.length - 1, Math.floor(share * samples.length))] ?? Number.NaN;
}

/** Rounded to so many digits after the point; null for what is no number, as JSON has it. */
export function rounded(value: number, digits = 0): number | null {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}
