// How Node runs the daemons.

/**
 * A smaller young generation and earlier collections: the connector has less than 300 MB under full load instead of 440, for about a
 * tenth more processor time (docs/performance.md). Dockerfile, docker-compose.yml and the systemd units say the same.
 */
export const nodeFlags = ['--max-semi-space-size=16', '--heap-growing-percent=50'] as const;
