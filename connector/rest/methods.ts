// Right address, wrong method: 405 that names the right ones.
import type { RequestHandler } from 'express';
import { faultAt } from './problem.ts';
import type { Route } from './route.ts';

/** Answers for addresses of routes that have no such method, where `isMine` holds for all that the address has. */
export function wrongMethod(routes: readonly Route[], isMine: (route: Route) => boolean): RequestHandler {
  const byPath = [...Map.groupBy(routes, ({ path }) => path)]
    .filter(([, members]) => members.every(isMine))
    .map(([path, members]) => ({ pattern: patternOf(path), allow: allowed(members) }));
  return (request, response, next) => {
    const found = byPath.find(({ pattern }) => pattern.test(request.path));
    if (found === undefined) return next();
    response.set('Allow', found.allow);
    if (request.method === 'OPTIONS') return void response.status(204).end();
    throw faultAt('method', `${request.path} takes ${found.allow}, not ${request.method}`, 405);
  };
}

/** As express reads addresses: upper case and a slash at the end make no difference. */
const patternOf = (path: string) =>
  new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`, 'i');

function allowed(members: readonly Route[]): string {
  const methods = members.map(({ method }) => method.toUpperCase());
  return [...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method)), 'OPTIONS'].join(
    ', ',
  );
}
