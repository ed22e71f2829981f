// How Node runs the connector.

/**
 * A smaller young generation and earlier collections: 240 MB resident under full load instead of 440, for about a tenth
 * more processor time (docs/performance.md). The Dockerfile says the same.
 */
export const connectorFlags = ['--max-semi-space-size=16', '--heap-growing-percent=100'] as const;
