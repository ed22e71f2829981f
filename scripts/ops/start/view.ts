// The words of the live status. Pure.
import type { ConnectorStatus, ConnectorView } from './connector-api.ts';

/** One line of counts, for example `messages 120 · milkings 4 · in Odoo 4`. */
export function countsLine(status: ConnectorStatus, hasOdoo: boolean): string {
  const parts = [
    `messages ${status.messages_received}`,
    `readings ${status.readings_written}`,
    `milkings ${status.milkings_closed}`,
    hasOdoo ? `sent to Odoo ${status.odoo_sent}` : 'no Odoo yet',
    `waiting ${status.outbox_pending}`,
  ];
  if (status.outbox_parked > 0) parts.push(`refused by Odoo ${status.outbox_parked}`);
  if (status.dead_letters > 0) parts.push(`dead letters ${status.dead_letters}`);
  return parts.join(' · ');
}

/** The last milking in words: which animal, where, how much, how good. */
export function milkingLine(record: Record<string, unknown>): string {
  const text = (key: string): string | undefined => {
    const value = record[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
  const yieldKg = Number(record['yield_kg']);
  const parts = [
    text('rfid') ?? text('animal_ref') ?? 'unknown animal',
    text('stall') === undefined ? text('device_uid') : `stall ${text('stall') ?? ''}`,
    Number.isFinite(yieldKg) ? `${yieldKg.toFixed(1)} kg` : undefined,
    text('grade') === undefined ? undefined : `grade ${text('grade') ?? ''}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

/** The whole status: counts, what is not well with what happens to the records meanwhile, last milking. */
export function statusLine(view: ConnectorView, lastMilking: string | undefined, hasOdoo: boolean): string {
  // That there is no Odoo is said among the counts already.
  const troubles = view.troubles.filter((trouble) => hasOdoo || !trouble.startsWith('odoo:'));
  const parts = view.status === undefined ? [] : [countsLine(view.status, hasOdoo)];
  for (const trouble of troubles) parts.push(`! ${trouble}`);
  if (troubles.length > 0) parts.push('nothing is lost: records wait');
  if (lastMilking !== undefined) parts.push(`last: ${lastMilking}`);
  return parts.join(' | ');
}

/** What a person needs to log in, and why Odoo does not take records, if so. */
export function loginLines(
  env: Readonly<Record<string, string>>,
  envFile: string,
  view?: ConnectorView,
): string[] {
  const trouble = view?.troubles.find((words) => words.startsWith('odoo:'));
  return [
    '',
    ...odooLines(env),
    ...(trouble === undefined || (env['ODOO_URL'] ?? '') === ''
      ? []
      : [`  ! Odoo takes no records: ${trouble.slice('odoo: '.length)}`, '    they wait, nothing is lost']),
    `  connector  ${env['CONNECTOR_URL'] ?? ''}`,
    `  all else   ${envFile}`,
    '',
  ];
}

function odooLines(env: Readonly<Record<string, string>>): string[] {
  const line = (name: string, key: string): string[] =>
    (env[key] ?? '') === '' ? [] : [`  ${name.padEnd(10)} ${env[key] ?? ''}`];
  if ((env['ODOO_URL'] ?? '') === '')
    return [
      '  Odoo       none here: records wait in the outbox until ODOO_URL, ODOO_DB and ODOO_API_KEY are set',
    ];
  return [...line('Odoo', 'ODOO_URL'), ...line('login', 'ODOO_LOGIN'), ...line('password', 'ODOO_PASSWORD')];
}
