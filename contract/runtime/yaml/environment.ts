// `${NAME}` and `${NAME:-fallback}` in the texts of a YAML document.
import { visit, type Document } from 'yaml';
import { nearMatch } from '../../near-match.ts';
import type { Problem } from './text.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Puts variables into every text of the document, in place; `$${` stands for `${` itself. Tells what could not be put in. */
export function expandEnvironment(document: Document, environment: Environment): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string' || !node.value.includes('${')) return;
      const complain = (message: string) => {
        problems.push({ offset: node.range?.[0] ?? 0, message });
        return '';
      };
      node.value = node.value.replace(
        /(\$?)\$\{([^}]*)(\}?)/g,
        (_all, escape: string, body: string, end: string) =>
          escape === '' ? expand(body, end !== '', environment, complain) : `\${${body}${end}`,
      );
    },
  });
  return problems;
}

function expand(
  body: string,
  isClosed: boolean,
  environment: Environment,
  complain: (message: string) => string,
): string {
  // What stands in the braces is not repeated: it may be part of a secret.
  if (!isClosed) return complain('a ${ has no }; write ${NAME} or ${NAME:-fallback}, and $${ for ${ itself');
  const [, name, fallback] = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(body) ?? [];
  if (name === undefined || fallback?.includes('${') === true)
    return complain('neither ${NAME} nor ${NAME:-fallback}; write $${ for ${ itself');
  const value = environment[name];
  if (value !== undefined && value !== '') return value;
  if (fallback !== undefined) return fallback;
  if (value === '')
    return complain(`environment variable ${name} is empty; where that is right, write \${${name}:-}`);
  const near = nearMatch(name, Object.keys(environment));
  return complain(
    `environment variable ${name} is not set${near === undefined ? '' : `; did you mean '${near}'?`}`,
  );
}
