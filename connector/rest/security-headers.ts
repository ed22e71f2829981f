// What browsers should know of our answers. By hand: most of helmet's headers are for pages, and there is one page here.
import type { RequestHandler } from 'express';

/** Sets them. The page at /docs has a policy of its own. */
export const securityHeaders: RequestHandler = (request, response, next) => {
  response.set({
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  // Whoever forges this header speaks to himself: browsers believe the answer over TLS only.
  if (request.get('x-forwarded-proto') === 'https')
    response.set('Strict-Transport-Security', 'max-age=31536000');
  next();
};
