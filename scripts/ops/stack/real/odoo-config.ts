// Odoo's configuration file.
import { writeFileSync } from 'node:fs';
import type { Chroot } from './chroot.ts';

export interface OdooConfig {
  /** Folder of the filestore as Odoo sees it. */
  dataDir: string;
  databasePort: number;
  databasePassword: string;
  masterPassword: string;
  httpPort?: number;
  /** The only database; without it Odoo serves every database that its role owns. */
  database?: string;
}

/** Writes the file, readable by Odoo's user only. `file` is its path as the machine sees it. */
export function writeOdooConfig(world: Chroot, file: string, config: OdooConfig): void {
  const options: Record<string, string | number> = {
    addons_path: '/usr/lib/python3/dist-packages/odoo/addons,/srv/addons',
    data_dir: config.dataDir,
    db_host: '127.0.0.1',
    db_port: config.databasePort,
    db_user: 'odoo',
    db_password: config.databasePassword,
    db_maxconn: 48,
    admin_passwd: config.masterPassword,
    http_interface: '127.0.0.1',
    http_port: config.httpPort ?? 0,
    // Threads: one process serves calls side by side and the bus too, which is right for two cores.
    workers: 0,
    max_cron_threads: config.database === undefined ? 0 : 1,
    limit_time_real: 600,
    limit_time_cpu: 600,
    proxy_mode: 'False',
    list_db: 'False',
    ...(config.database === undefined ? {} : { db_name: config.database, dbfilter: `^${config.database}$` }),
  };
  const lines = Object.entries(options).map(([key, value]) => `${key} = ${value}\n`);
  writeFileSync(file, `[options]\n${lines.join('')}`, { mode: 0o600 });
  world.own(file, 'odoo');
}
