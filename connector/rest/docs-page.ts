// The OpenAPI document as a page that can be tried: nothing from elsewhere, and the token stays in the page.
import { problemTitles } from './problem.ts';
import type { Json } from './openapi.ts';

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  description?: string;
  deprecated?: boolean;
  schema: Json;
  example?: string;
}

interface Operation {
  tags: string[];
  summary: string;
  description?: string;
  security?: unknown[];
  parameters: Parameter[];
  requestBody?: { content: Record<string, { schema: Json; example?: unknown }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

const style = `body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem;color:#222}
h2{border-bottom:1px solid #ccc;margin-top:2.5rem}details{border:1px solid #ddd;border-radius:4px;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer}code{font:13px ui-monospace,monospace}b.get{color:#0a6}b.post{color:#05c}
table{border-collapse:collapse;margin:.5rem 0}td{border-top:1px solid #eee;padding:.2rem .8rem .2rem 0;vertical-align:top}
pre{background:#f6f6f6;overflow:auto;padding:.6rem}small{color:#666}
label{display:block;margin:.3rem 0}input{font:13px ui-monospace,monospace;max-width:100%}textarea{font:13px ui-monospace,monospace;width:100%;box-sizing:border-box}`;

/** The page of a document. */
export function docsPage(document: Json): string {
  const { info, paths } = document as {
    info: { title: string; version: string; description: string };
    paths: Record<string, Record<string, Operation>>;
  };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = Map.groupBy(operations, ({ operation }) => operation.tags[0] ?? '');
  const sections = [...groups].map(
    ([tag, members]) => `<h2 id="${escape(tag)}">${escape(tag)}</h2>${members.map(section).join('')}`,
  );
  const problems = Object.entries(problemTitles).map(
    ([status, title]) =>
      `<tr id="problem-${status}"><td><code>${status}</code></td><td>${escape(title)}</td></tr>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(info.title)}</title>
<meta name="viewport" content="width=device-width"><style>${style}</style>
<h1>${escape(info.title)} <small>${escape(info.version)}</small></h1><p>${escape(info.description)}</p>
<p>Every request needs <code>Authorization: Bearer …</code> unless it says otherwise. For programs: <a href="/openapi.json">openapi.json</a>.</p>
<p><label>Token for trying requests here (CONNECTOR_TOKEN, or the token of a farm; it is kept until you leave the page)
<input id="token" type="password" size="50" autocomplete="off"></label></p>
${sections.join('')}
<h2>Problems</h2><p>Every error is an <code>application/problem+json</code> (RFC 9457).</p><table>${problems.join('')}</table><script src="/docs/try.js"></script></html>`;
}

function section({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: Operation;
}): string {
  const { parameters, requestBody, responses } = operation;
  const sample = requestBody?.content['application/json']?.example;
  const rows = parameters.map(
    ({ name, in: where, required, schema, description }) =>
      `<tr><td><code>${escape(name)}</code><br><small>${where}${required ? ', required' : ''}</small></td><td><code>${escape(shape(schema))}</code> ${escape(text(schema['description']) || (description ?? ''))}</td></tr>`,
  );
  const answers = Object.entries((responses['200'] ?? responses['202'])?.content ?? {}).map(
    ([type, { schema }]) =>
      `<p><small>answers ${escape(type)}</small></p><pre>${escape(shape(schema))}</pre>`,
  );
  const body = requestBody?.content['application/json']?.schema;
  return `<details><summary><b class="${method}">${method.toUpperCase()}</b> <code>${escape(path)}</code> ${escape(operation.summary)}${operation.security?.length === 0 ? ' <small>(no token)</small>' : ''}</summary>
${operation.description === undefined ? '' : `<p>${escape(operation.description)}</p>`}
${rows.length === 0 ? '' : `<table>${rows.join('')}</table>`}
${body === undefined ? '' : `<p><small>body</small></p><pre>${escape(shape(body))}</pre>`}${answers.join('')}${tryForm(path, method, operation, sample)}</details>`;
}

/** Fields for a request, filled with the example. Calls of Odoo are signed, so a page cannot send them. */
function tryForm(path: string, method: string, { security, parameters }: Operation, sample: unknown): string {
  if (security?.length === 0 && method === 'post') return '';
  const fields = parameters
    .filter(({ in: where, deprecated }) => where !== 'header' && deprecated !== true)
    .map(
      ({ name, in: where, required, example = '' }) =>
        `<label><code>${escape(name)}</code> <input name="${escape(name)}" data-in="${where}" value="${escape(example)}"${required ? ' required' : ''}></label>`,
    );
  const body =
    method === 'post'
      ? `<label>body<textarea name="body" rows="8" spellcheck="false">${escape(JSON.stringify(sample ?? {}, null, 2))}</textarea></label>`
      : '';
  return `<form data-method="${method}" data-path="${escape(path)}">${fields.join('')}${body}<button>Send</button><pre hidden></pre></form>`;
}

/** A JSON Schema as a person would write the shape down. */
function shape(schema: Json, indent = ''): string {
  const { type, properties, required, items, anyOf } = schema as {
    type?: string | string[];
    properties?: Record<string, Json>;
    required?: string[];
    items?: Json;
    anyOf?: Json[];
  };
  if (schema['enum'] !== undefined)
    return (schema['enum'] as unknown[]).map((value) => JSON.stringify(value)).join(' | ');
  if (schema['const'] !== undefined) return JSON.stringify(schema['const']);
  if (anyOf !== undefined) return [...new Set(anyOf.map((each) => shape(each, indent)))].join(' | ');
  if (items !== undefined) return `[${shape(items, indent)}]`;
  if (properties !== undefined) {
    const inner = `${indent}  `;
    const lines = Object.entries(properties).map(([name, property]) => {
      const description = text(property['description']);
      const note = description === '' ? '' : `  // ${description}`;
      return `${inner}${name}${required?.includes(name) === true ? '' : '?'}: ${shape(property, inner)}${note}`;
    });
    return `{\n${lines.join('\n')}\n${indent}}`;
  }
  const plain = Array.isArray(type) ? type.join(' | ') : (type ?? 'any');
  const format = text(schema['format']);
  return format === '' ? plain : `${plain} (${format})`;
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string) => text.replaceAll(/[&<>"]/g, (sign) => entities[sign] ?? sign);
