// Values in the form Odoo's fields take them.

/** An ISO moment as Odoo's datetime string in UTC, `YYYY-MM-DD HH:MM:SS`; fractions of a second are cut off. */
export function toOdooDatetime(iso: string): string;
export function toOdooDatetime(iso: string | null): string | null;
export function toOdooDatetime(iso: string | null): string | null {
  return iso === null ? null : new Date(iso).toISOString().slice(0, 19).replace('T', ' ');
}
