// Databases that tests made and did not drop, because they were killed or failed.
import { withClient } from '../../ops/stack/database.ts';

/** Drops them all; returns their names. `adminUrl` is the test stack's superuser. */
export function dropLeftovers(adminUrl: string): Promise<string[]> {
  return withClient(adminUrl, async (query) => {
    const rows = await query(
      `select datname as name from pg_database where datname ~ '^(odoo_)?test_[0-9]+_'`,
    );
    const names = rows.map((row) => String(row['name']));
    for (const name of names) await query(`drop database if exists "${name}" with (force)`);
    return names;
  });
}
