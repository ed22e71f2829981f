// The API's own description: /openapi.json for programs, /docs for people. They hold no data, so they need no token.
import { docsPage } from './docs-page.ts';
import { openApiDocument, type Json } from './openapi.ts';
import { route, type Route } from './route.ts';
import * as z from 'zod';

const cache = 'public, max-age=300';

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
      media: { 'text/html': 'A page without scripts' },
      handle({ response }) {
        response
          .set('Cache-Control', cache)
          .set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
          .type('html')
          .send(page);
      },
    }),
  ];
  const document: Json = openApiDocument([...routes, ...own]);
  const page = docsPage(document);
  return own;
}
