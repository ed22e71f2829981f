// Signed calls of the addon: `POST /api/v1/odoo/…` with X-Smart-Dairy-Signature instead of a token.
import type { Request } from 'express';
import type * as z from 'zod';
import { boundDatabase } from '../db/odoo-binding.ts';
import { takeSignature } from '../db/odoo-events.ts';
import { toDatabaseError, type Queryable } from '../db/pool.ts';
import { bytesOf } from './json-body.ts';
import { faultAt, HttpError } from './problem.ts';
import type { Renamed } from './renamed.ts';
import { route, type Route } from './route.ts';
import { checkSignature, signatureWindowS } from './signature.ts';

/** Whom a call is checked against. */
export interface SignedBy {
  db: Queryable;
  secret: string;
}

interface SignedSpec<B extends z.ZodType> {
  /** Behind /api/v1/odoo/. */
  path: string;
  summary: string;
  body: B;
  answer: z.ZodType;
  status?: 202;
  renamed?: Renamed;
  /** A body. */
  example: object;
  handle: (input: z.output<B>) => unknown;
}

/** Declares a POST of the addon. Its signature is checked before anything is stored or its content looked at. */
export function signedRoute<B extends z.ZodType>(
  by: SignedBy,
  { path, summary, body, answer, status, renamed, example, handle }: SignedSpec<B>,
): Route {
  return route({
    method: 'post',
    path: `/api/v1/odoo/${path}`,
    tag: 'Odoo',
    summary,
    description:
      'Called by the addon with X-Smart-Dairy-Signature instead of a token, see docs/odoo-sync.md.',
    open: true,
    authenticate: (request) => authenticate(request, by),
    body,
    answer,
    example: { body: example },
    ...(status === undefined ? {} : { status }),
    ...(renamed === undefined ? {} : { renamed }),
    handle: ({ body: input }) => handle(input),
  });
}

async function authenticate(request: Request, { db, secret }: SignedBy): Promise<void> {
  if (secret === '')
    throw new HttpError(503, 'calls of Odoo are refused: set CONNECTOR_ODOO_SECRET (odoo.secret)');
  const header = request.get('x-smart-dairy-signature');
  const database = request.get('x-smart-dairy-database') ?? '';
  const { method, originalUrl: path } = request;
  const call = { header, method, path, database, body: bytesOf(request) };
  const check = checkSignature(call, secret, Date.now());
  if (!check.ok) throw refused(check.reason);
  try {
    if (!(await takeSignature(db, check.digest, signatureWindowS)))
      throw refused('this call was made before: sign each call anew');
    await checkDatabase(db, database);
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/** A copy of the database has the secret too, and must not move a device. */
async function checkDatabase(db: Queryable, asking: string): Promise<void> {
  const bound = await boundDatabase(db);
  if (bound === undefined || asking === bound) return;
  const message =
    asking === ''
      ? 'the call does not say which Odoo database it comes from'
      : 'this is a copy of the database that the connector belongs to, or another one: connect it anew, see docs/odoo.md';
  throw faultAt('X-Smart-Dairy-Database', message, 409);
}

const refused = (message: string) => faultAt('X-Smart-Dairy-Signature', message, 401);
