// Values of a record as Odoo's import and its write() read them, and external ids. Pure.

/** A value on its way into a field. */
export type CellValue = string | number | boolean | null;

/** A cell of Odoo's import: always text; empty clears the field. */
export function toLoadCell(value: CellValue, fieldType: string): string {
  const written = toWriteValue(value, fieldType);
  if (written === false) return fieldType === 'boolean' && value === false ? '0' : '';
  return written === true ? '1' : String(written);
}

/** A value of create() and write(); false clears the field. */
export function toWriteValue(value: CellValue, fieldType: string): string | number | boolean {
  if (value === null) return false;
  switch (fieldType) {
    case 'datetime':
      return typeof value === 'string' ? moment(value).slice(0, 19) : value;
    case 'date':
      return typeof value === 'string' ? moment(value).slice(0, 10) : value;
    case 'integer':
      return typeof value === 'number' ? Math.round(value) : value;
    case 'char':
    case 'text':
    case 'html':
    case 'selection':
      return String(value);
    default:
      return value;
  }
}

const moment = (iso: string) => new Date(iso).toISOString().replace('T', ' ');

/** The name part of an external id: two source_ids never share one, and it has neither spaces nor dots. */
export function externalId(kind: string, sourceId: string): string {
  const safe = sourceId.replaceAll(
    /[^A-Za-z0-9_]/g,
    (sign) => `-${(sign.codePointAt(0) ?? 0).toString(16)}-`,
  );
  return `${kind}_${safe}`;
}
