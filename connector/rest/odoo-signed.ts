// Signed calls of the addon: `POST /api/v1/odoo/…` with X-Smart-Dairy-Signature instead of a token.
import type { Request } from 'express';
import * as z from 'zod';
import { boundDatabase } from '../db/odoo-binding.ts';
import { takeSignature } from '../db/odoo-events.ts';
import type { Queryable } from '../db/pool.ts';
import { HttpError, invalidInput } from './problem.ts';
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
  handle: (input: z.output<B>) => unknown;
}

/** Declares a POST of the addon. Its signature is checked before its content is looked at. */
export function signedRoute<B extends z.ZodType>(
  by: SignedBy,
  { path, summary, body, answer, status, renamed, handle }: SignedSpec<B>,
): Route {
  return route({
    method: 'post',
    path: `/api/v1/odoo/${path}`,
    tag: 'Odoo',
    summary,
    description:
      'Called by the addon with X-Smart-Dairy-Signature instead of a token, see docs/odoo-sync.md.',
    open: true,
    body: z.unknown(),
    bodyDocument: body,
    answer,
    ...(status === undefined ? {} : { status }),
    ...(renamed === undefined ? {} : { renamed }),
    async handle({ request, body: given }) {
      await authenticate(request, by);
      const input = body.safeParse(given);
      if (!input.success) throw invalidInput(input.error);
      return handle(input.data);
    },
  });
}

async function authenticate(request: Request, { db, secret }: SignedBy): Promise<void> {
  if (secret === '')
    throw new HttpError(503, 'calls of Odoo are refused: set CONNECTOR_ODOO_SECRET (odoo.secret)');
  const bytes = (request as { bytes?: Uint8Array }).bytes ?? new Uint8Array();
  const check = checkSignature(request.get('x-smart-dairy-signature'), bytes, secret, Date.now());
  if (!check.ok) throw new HttpError(401, check.reason);
  if (!(await takeSignature(db, check.digest, signatureWindowS)))
    throw new HttpError(401, 'this call was made before: sign each call anew');
  await checkDatabase(db, request.get('x-smart-dairy-database'));
}

/** A copy of the database has the secret too, and must not move a device. */
async function checkDatabase(db: Queryable, asking: string | undefined): Promise<void> {
  const bound = await boundDatabase(db);
  if (bound === undefined || asking === bound) return;
  throw new HttpError(
    409,
    asking === undefined
      ? 'the call does not say which Odoo database it comes from: update the addon smart_dairy_iot'
      : 'this is a copy of the database that the connector belongs to, or another one: connect it anew, see docs/odoo.md',
  );
}
