// How PostgreSQL is set, in real and embedded mode alike.
import type { InstanceName } from './types.ts';

/** Arguments of `initdb`; the superuser is `postgres`. Paths as initdb sees them. */
export const initdbArgs = (dataDir: string, passwordFile: string): string[] => [
  `--pgdata=${dataDir}`,
  `--pwfile=${passwordFile}`,
  '--username=postgres',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
];

/** Arguments of `postgres`: loopback only, sized for a small box (2 cores, some GB) with a steady stream of inserts. */
export function postgresArgs(
  dataDir: string,
  port: number,
  instance: InstanceName,
  extra: Record<string, string>,
): string[] {
  const options: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: '200',
    shared_buffers: '256MB',
    effective_cache_size: '1GB',
    work_mem: '16MB',
    maintenance_work_mem: '128MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    wal_compression: 'on',
    random_page_cost: '1.1',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Nobody misses the data of a test after a power cut.
    ...(instance === 'test' ? { fsync: 'off', full_page_writes: 'off' } : {}),
    ...extra,
  };
  return [
    '-D',
    dataDir,
    '-p',
    String(port),
    ...Object.entries(options).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ];
}
