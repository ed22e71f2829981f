// What a route is: one declaration gives the express handler, the checks of its input and its entry in the OpenAPI document.
import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import type * as z from 'zod';
import { safeParse } from '../../contract/safe-parse.ts';
import { invalidInput } from './problem.ts';
import { withFormerNames, withNewNames, type Renamed } from './renamed.ts';

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

interface Spec<Q extends z.ZodType, P extends z.ZodType, B extends z.ZodType> {
  method: 'get' | 'post';
  /** As OpenAPI writes it: `/api/v1/iot/devices/{device_uid}`. */
  path: string;
  tag: string;
  summary: string;
  description?: string;
  /** Without a token; everything else needs one. */
  open?: true;
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
  /** Shape of the JSON answer. */
  answer?: z.ZodType;
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
      const query = check(spec.query, withNewNames(request.query, renamed?.input)) as z.output<Q>;
      const params = check(spec.params, request.params) as z.output<P>;
      const body = check(spec.body, withNewNames(request.body ?? {}, renamed?.input)) as z.output<B>;
      if (spec.status !== undefined) response.status(spec.status);
      return handle({ query, params, body, request, response });
    },
  };
}

function check(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined;
  const parsed = safeParse(schema, value);
  if (!parsed.success) throw invalidInput(parsed.error);
  return parsed.data;
}

/** Runs around the handler of every POST: an idempotency key may answer instead of it. */
export type AroundPost = (
  request: Request,
  response: Response,
  run: () => Promise<unknown>,
) => Promise<unknown>;

/** Adds routes to an application. */
export function addRoutes(app: Express, routes: readonly Route[], aroundPost: AroundPost): void {
  for (const entry of routes) {
    const path = entry.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const handler: RequestHandler = async (request, response) => {
      const run = async () => withFormerNames(await entry.run(request, response), entry.renamed?.output);
      const value = await (entry.method === 'post' ? aroundPost(request, response, run) : run());
      if (value === undefined) return;
      if (entry.method === 'get') {
        response.set('Cache-Control', entry.cache ?? 'private, no-cache').json(value);
      } else {
        // Without an ETag: a digest of every batch's answer would be for nothing.
        response.set('Cache-Control', 'no-store').type('json').end(JSON.stringify(value));
      }
    };
    if (entry.method === 'get') app.get(path, handler);
    else app.post(path, jsonBody(entry.maxBodyBytes ?? 262_144), handler);
  }
}

/** Whatever the content type says: a body that is not read would mean "nothing given". The bytes stay for idempotency keys and signatures. */
const jsonBody = (limit: number) =>
  express.json({
    limit,
    type: () => true,
    verify: (request, _response, bytes) => {
      const { headers } = request;
      if (headers['idempotency-key'] !== undefined || headers['x-smart-dairy-signature'] !== undefined)
        Object.assign(request, { bytes });
    },
  });
