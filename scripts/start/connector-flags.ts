// How Node runs the connector.

/**
 * A smaller young generation and earlier collections: less than 300 MB resident under full load instead of 440, for about a
 * tenth more processor time (docs/performance.md). Dockerfile and docker-compose.yml say the same.
 */
export const connectorFlags = ['--max-semi-space-size=16', '--heap-growing-percent=50'] as const;
