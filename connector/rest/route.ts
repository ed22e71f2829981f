// What a route is: one declaration gives the express handler, the checks of its input and its entry in the OpenAPI document.
import type { Request, Response } from 'express';
import * as z from 'zod';
import { safeParse } from '../../contract/safe-parse.ts';
import { scopeOf } from './auth.ts';
import { faultOfText } from './json-body.ts';
import { faultAt, invalidInput, wrongField } from './problem.ts';
import { withNewNames, type Renamed } from './renamed.ts';

/** What a handler gets. */
export interface Input<Q, P, B> {
  query: Q;
  params: P;
  body: B;
  request: Request;
  response: Response;
}

/** A body of another type than JSON, for the document. */
export type Media = Readonly<Record<string, string>>;

/** A request of a route. */
export interface Example {
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string>>;
  body?: unknown;
}

interface Spec<Q extends z.ZodType, P extends z.ZodType, B extends z.ZodType> {
  method: 'get' | 'post';
  /** As OpenAPI writes it: `/api/v1/iot/devices/{device_uid}`. */
  path: string;
  tag: string;
  summary: string;
  description?: string;
  /** Without a token; everything else needs one. */
  open?: true;
  /** Proves who calls an open route, before anything is stored or its content looked at. Throws what the caller is told. */
  authenticate?: (request: Request) => Promise<void> | void;
  query?: Q;
  params?: P;
  body?: B;
  /** What the document says of the body where the check at run time is a lighter one. */
  bodyDocument?: z.ZodType;
  /** What had other names one version ago. */
  renamed?: Renamed;
  maxBodyBytes?: number;
  /** Of an answer that is no error, where it is not 200: 202 says that the work is done afterwards. */
  status?: 202;
  /** The handler judges row by row, so that a bad one costs the others nothing: of the content only that it is JSON is checked. */
  judgesRows?: true;
  /** Shape of the JSON answer. */
  answer?: z.ZodType;
  /** For the document and its page: values that work as they are. */
  example?: Example;
  /** Other types of answer → description. */
  media?: Media;
  /** Cache-Control of an answer to GET; without it an answer is asked for anew, and 304 if it is the same. */
  cache?: string;
  /** The answer's JSON value; undefined when the handler has sent its answer itself. */
  handle: (input: Input<z.output<Q>, z.output<P>, z.output<B>>) => unknown;
}

/** A declared route. */
export type Route = Omit<Spec<z.ZodType, z.ZodType, z.ZodType>, 'handle'> & {
  /** Answers; throws what becomes a problem. */
  run: (request: Request, response: Response) => unknown;
};

/** Declares a route. Input that fails its schema is answered with problem 400. */
export function route<
  Q extends z.ZodType = z.ZodUndefined,
  P extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>({ handle, ...spec }: Spec<Q, P, B>): Route {
  return {
    ...spec,
    run(request, response) {
      const { renamed } = spec;
      const given = withNewNames(request.query, renamed?.input);
      const query = check(spec.query, scoped(given, spec, scopeOf(response)), 'query') as z.output<Q>;
      const params = check(spec.params, request.params, 'path') as z.output<P>;
      const body = check(spec.body, withNewNames(request.body ?? {}, renamed?.input), 'body') as z.output<B>;
      if (spec.status !== undefined) response.status(spec.status);
      return handle({ query, params, body, request, response });
    },
  };
}

/** What the token of one farm asks for is that farm's. Whatever tells no farms apart is not for it. */
function scoped(
  given: unknown,
  { method, query }: Pick<Spec<z.ZodType, z.ZodType, z.ZodType>, 'method' | 'query'>,
  farm: string | undefined,
): unknown {
  if (farm === undefined) return given;
  const takesFarm = query instanceof z.ZodObject && 'farm' in query.shape;
  if (method !== 'get' || !takesFarm)
    throw faultAt(
      'Authorization',
      `the token of farm ${farm} reads data of its farm; this needs CONNECTOR_TOKEN`,
      403,
    );
  const asked = (given as { farm?: unknown }).farm;
  if (asked !== undefined && asked !== farm)
    throw wrongField('farm', `the token is one of farm ${farm}`, 403);
  return { ...(given as object), farm };
}

function check(schema: z.ZodType | undefined, value: unknown, whole: 'query' | 'path' | 'body'): unknown {
  if (schema === undefined) return undefined;
  if (whole !== 'body') checkTexts(value as Readonly<Record<string, unknown>>);
  const parsed = safeParse(schema, value);
  if (!parsed.success) throw invalidInput(parsed.error, whole);
  return parsed.data;
}

function checkTexts(parameters: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(parameters))
    for (const text of [value].flat()) {
      const fault = typeof text === 'string' ? faultOfText(text) : undefined;
      if (fault !== undefined) throw wrongField(name, fault.message);
    }
}
