// Copies of the run's two databases, and setting them back: with the product's own backup and restore, and as Odoo's is cloned.
import { rmSync } from 'node:fs';
import { withClient } from '../../ops/stack/database.ts';
import { cloneOdooDatabase, dropOdooDatabase, onceUnused } from '../../ops/stack/real/odoo-database.ts';
import type { Settings } from '../../ops/stack/types.ts';
import { backUp, restore } from '../../ops/backup/backup.ts';

/** A database that can be set back to an earlier copy of itself. */
export interface Copies {
  save: () => Promise<void>;
  /** Nothing may write to it meanwhile. What came after save() is gone. */
  setBack: () => Promise<void>;
  /** Removes what save() has left. */
  drop: () => Promise<void>;
}

/** Of the connector's database at `url`, which lies in the tablespace of its own name. */
export function databaseCopies(adminUrl: string, url: string, file: string): Copies {
  const name = new URL(url).pathname.slice(1);
  const restored = `${name}_restored`;
  const drop = async () => {
    rmSync(file, { force: true });
    await withClient(adminUrl, (query) => query(`drop database if exists ${restored} with (force)`));
  };
  return {
    async save() {
      rmSync(file, { force: true });
      await backUp(url, file);
    },
    async setBack() {
      await restore(adminUrl, restored, file);
      await withClient(adminUrl, async (query) => {
        const disconnect = () =>
          query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [restored]);
        await query(`drop database ${name} with (force)`);
        await onceUnused(() => query(`alter database ${restored} set tablespace ${name}`), disconnect);
        await onceUnused(() => query(`alter database ${restored} rename to ${name}`), disconnect);
      });
    },
    drop,
  };
}

/** Of an Odoo database, with its filestore. */
export function odooCopies(settings: Settings, filestore: string, name: string): Copies {
  const copy = `${name}_copy`;
  return {
    save: () => cloneOdooDatabase({ settings, filestore, from: name, to: copy }),
    setBack: () => cloneOdooDatabase({ settings, filestore, from: copy, to: name }),
    drop: () => dropOdooDatabase(settings, filestore, copy),
  };
}
