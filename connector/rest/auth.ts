// Bearer tokens, compared in constant time: the connector's own, and those that read one farm.
import type { Response } from 'express';
import { isSameSecret } from '../../contract/runtime/secret.ts';
import { wrongField } from './problem.ts';

/** The tokens that open something. */
export interface Tokens {
  /** Opens everything. */
  token: string;
  /** Farm → the token that reads what is of that farm. */
  farmTokens: Readonly<Record<string, string>>;
}

/** What is told to whoever has none of them. */
export const noToken = wrongField('Authorization', 'Bearer <CONNECTOR_TOKEN> is missing or wrong', 401);

/** Whose token an Authorization header carries. `farm` is undefined for the one that opens everything. */
export function bearerOf(
  header: string | undefined,
  { token, farmTokens }: Tokens,
): { farm?: string } | undefined {
  const given = /^Bearer (.+)$/i.exec(header ?? '')?.[1] ?? '';
  let found: { farm?: string } | undefined;
  // Without a way out in between: how long it takes says nothing of how many tokens there are before the right one.
  for (const [farm, each] of Object.entries(farmTokens)) if (isSameSecret(given, each)) found = { farm };
  return isSameSecret(given, token) ? {} : found;
}

/** Whether an Authorization header carries the token that opens everything. */
export const isAuthorized = (header: string | undefined, token: string): boolean =>
  bearerOf(header, { token, farmTokens: {} }) !== undefined;

/** The farm that the request's token is for; undefined where it is for all. */
export const scopeOf = (response: Response): string | undefined =>
  response.locals['farm'] as string | undefined;
