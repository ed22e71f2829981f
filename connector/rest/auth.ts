// Bearer token check, in constant time.
import { isSameSecret } from '../../contract/runtime/secret.ts';

/** Whether an Authorization header carries the token. */
export function isAuthorized(header: string | undefined, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(header ?? '')?.[1] ?? '';
  return isSameSecret(given, token);
}
