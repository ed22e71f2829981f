// The API's own description: /openapi.json for programs, /docs for people. They hold no data, so they need no token.
import { docsPage } from './docs-page.ts';
import { docsScript } from './docs-script.ts';
import { openApiDocument, type Json } from './openapi.ts';
import { route, type Route } from './route.ts';
import * as z from 'zod';

const cache = 'public, max-age=300';
/** The page runs its own script, asks this server, and nothing else. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The two routes, which describe themselves too. */
export function documentRoutes(routes: readonly Route[]): Route[] {
  const own = [
    route({
      method: 'get',
      path: '/openapi.json',
      tag: 'System',
      summary: 'This description, for programs',
      open: true,
      cache,
      answer: z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }),
      handle: () => document,
    }),
    route({
      method: 'get',
      path: '/docs',
      tag: 'System',
      summary: 'This description, for people',
      open: true,
      cache,
      media: { 'text/html': 'A page that needs nothing from elsewhere' },
      handle({ response }) {
        response.set('Cache-Control', cache).set('Content-Security-Policy', policy).type('html').send(page);
      },
    }),
    route({
      method: 'get',
      path: '/docs/try.js',
      tag: 'System',
      summary: 'What sends the requests of that page',
      open: true,
      cache,
      media: { 'text/javascript': 'Its script' },
      handle({ response }) {
        response.set('Cache-Control', cache).type('text/javascript').send(docsScript);
      },
    }),
  ];
  const document: Json = openApiDocument([...routes, ...own]);
  const page = docsPage(document);
  return own;
}
