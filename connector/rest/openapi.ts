// The OpenAPI 3.1 document of the routes, made from the schemas that check them.
import * as z from 'zod';
import { problemSchema, problemTitles } from './problem.ts';
import { describeFormerNames, type Renamed } from './renamed.ts';
import type { Route } from './route.ts';

/** A JSON Schema or another piece of the document. */
export type Json = Record<string, unknown>;

/** The document. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Smart Dairy connector',
      version: 'v1',
      description:
        'Data in, queries, dead letters and status. All times are ISO 8601; answers are in UTC. The live stream is a WebSocket at /api/v1/live.',
    },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'CONNECTOR_TOKEN' } },
      schemas: { Problem: toJsonSchema(problemSchema, 'output') },
    },
    security: [{ token: [] }],
  };
}

function operation(route: Route): Json {
  const statuses = [
    (route.query ?? route.params ?? route.body) ? 400 : 0,
    route.open && route.authenticate === undefined ? 0 : 401,
    route.open ? 0 : 403,
    route.body === undefined ? 0 : 413,
    route.body === undefined ? 0 : 415,
    429,
    500,
    503,
  ];
  const content = {
    ...(route.answer === undefined
      ? {}
      : {
          'application/json': {
            schema: describeFormerNames(toJsonSchema(route.answer, 'output'), route.renamed?.output),
          },
        }),
    ...Object.fromEntries(
      Object.entries(route.media ?? {}).map(([type, description]) => [
        type,
        { schema: { type: 'string', description } },
      ]),
    ),
  };
  return {
    operationId: `${route.method}${route.path.replaceAll(/[^A-Za-z0-9]+(\w)?/g, (_match, letter?: string) => letter?.toUpperCase() ?? '')}`,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.open ? { security: [] } : {}),
    parameters: [
      ...parameters(route.params, 'path', route.example?.params),
      ...parameters(route.query, 'query', route.example?.query, route.renamed?.input),
      ...headers(route),
    ],
    ...requestBody(route),
    responses: {
      [route.status ?? 200]: { description: route.status === 202 ? 'Accepted' : 'Done', content },
      ...Object.fromEntries(
        statuses.filter((status) => status > 0).map((status) => [status, problem(status)]),
      ),
      default: problem(undefined),
    },
  };
}

const problem = (status: number | undefined): Json => ({
  description: status === undefined ? 'Any other problem' : (problemTitles[status] ?? 'Problem'),
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

function parameters(
  schema: z.ZodType | undefined,
  where: 'path' | 'query',
  examples: Readonly<Record<string, string>> = {},
  renamed: Renamed['input'] = {},
): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = toJsonSchema(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).flatMap(([name, property]) => {
    const plain = {
      name,
      in: where,
      required: where === 'path' || required.includes(name),
      schema: property,
    };
    const parameter = examples[name] === undefined ? plain : { ...plain, example: examples[name] };
    const former = renamed[name];
    if (former === undefined) return [parameter];
    const description = `Former name of ${name}`;
    return [parameter, { ...plain, name: former, required: false, deprecated: true, description }];
  });
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key within 24 h gets the answer of the first time.',
  schema: { type: 'string', maxLength: 255 },
};

const headers = (route: Route): Json[] => (route.method === 'post' ? [idempotencyKey] : []);

function requestBody({ body, bodyDocument, renamed, example }: Route): Json {
  const schema = bodyDocument ?? body;
  if (schema === undefined) return {};
  const document = toJsonSchema(schema, 'input');
  const former = describeFormerNames(document, renamed?.input, 'input');
  const content = { schema: former, ...(example?.body === undefined ? {} : { example: example.body }) };
  return { requestBody: { content: { 'application/json': content } } };
}

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const document = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  delete document['$schema'];
  return document;
}
