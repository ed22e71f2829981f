// What an account may do by an ACL file of Mosquitto, and which topic templates of the connector lie outside of it. Pure.

interface Rule {
  access: 'read' | 'write' | 'readwrite';
  filter: string;
}

/** The `topic` lines of an account. */
export function rulesOf(acl: string, account: string): Rule[] {
  let current = '';
  return acl.split('\n').flatMap((raw): Rule[] => {
    const [word = '', ...rest] = raw.trim().split(/\s+/);
    if (word === 'user') current = rest.join(' ');
    if (word !== 'topic' || current !== account) return [];
    const [access, filter] = rest;
    if (filter === undefined) return access === undefined ? [] : [{ access: 'readwrite', filter: access }];
    return access === 'read' || access === 'write' || access === 'readwrite' ? [{ access, filter }] : [];
  });
}

/** True when every topic that `wanted` stands for is one of `given`, both with `+` and `#`. */
export function covers(given: string, wanted: string): boolean {
  const [mine, other] = [given.split('/'), wanted.split('/')];
  for (const [index, level] of mine.entries()) {
    if (level === '#') return true;
    const word = other[index];
    if (word === undefined || word === '#') return false;
    if (level !== '+' && level !== word) return false;
  }
  return mine.length === other.length;
}

/** A template's topics as a filter: `barn/{device_uid}/{message_type}` is `barn/+/+`. */
const filterOf = (template: string): string => template.replaceAll(/\{[^}]*\}/g, '+');

/** In words, which templates the account may not read, or may not send commands to. */
export function outsideAcl(acl: string, account: string, templates: readonly string[]): string[] {
  const rules = rulesOf(acl, account);
  const may = (right: 'read' | 'write', filter: string): boolean =>
    rules.some(
      (rule) => (rule.access === 'readwrite' || rule.access === right) && covers(rule.filter, filter),
    );
  return templates.flatMap((template) => {
    const commands = filterOf(template.replace('{message_type}', 'commands'));
    const missing = [
      ...(may('read', filterOf(template)) ? [] : [`topic read ${filterOf(template)}`]),
      ...(may('write', commands) ? [] : [`topic write ${commands}`]),
    ];
    if (missing.length === 0) return [];
    return [
      `topic template '${template}' lies outside what the broker's ACL allows '${account}': its messages would not arrive. ` +
        `Add to config/mosquitto/acl, below 'user ${account}': ${missing.join(' and ')}`,
    ];
  });
}
