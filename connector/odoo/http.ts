// JSON over fetch with a timeout and a size limit; whatever goes wrong on the way becomes an OdooError.
import { messageOf } from '../../contract/errors.ts';
import { OdooError, firstLine, fromStatus, parseRetryAfter } from './errors.ts';

/** One request. `body` undefined makes it a GET. */
export interface JsonRequest {
  url: string;
  headers?: Record<string, string>;
  body?: unknown;
  timeoutMs: number;
  maxResponseBytes: number;
  signal?: AbortSignal | undefined;
}

/** The answer: a JSON value, whatever the status. */
export interface JsonAnswer {
  status: number;
  body: unknown;
  retryAfterMs: number | undefined;
}

/** Sends JSON and reads JSON. Connections are kept alive by fetch. A redirect is not followed: it would turn POST into GET. */
export async function requestJson(request: JsonRequest): Promise<JsonAnswer> {
  const timeout = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
  let response: Response;
  let text: string;
  try {
    response = await fetch(request.url, {
      method: request.body === undefined ? 'GET' : 'POST',
      headers: {
        ...request.headers,
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      redirect: 'manual',
      signal,
    });
    text = await readLimited(response, request.maxResponseBytes);
  } catch (error) {
    if (error instanceof OdooError) throw error;
    if (timeout.aborted) throw timedOut(request.timeoutMs);
    if (request.signal?.aborted === true) throw new OdooError('unreachable', 'the call to Odoo was given up');
    throw networkError(error);
  }
  const { status } = response;
  if (status >= 300 && status < 400)
    throw fromStatus(status, `to ${response.headers.get('location') ?? '?'}`);
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), Date.now());
  // A web server before Odoo answers in its own words; Odoo itself always in JSON.
  const body = parseJson(text);
  if (body === undefined) {
    if (status >= 400) throw fromStatus(status, '', retryAfterMs);
    throw notOdoo(text);
  }
  return { status, body, retryAfterMs };
}

/** The error of a call that took longer than it may. */
export function timedOut(timeoutMs: number): OdooError {
  return new OdooError('overload', `Odoo did not answer within ${timeoutMs / 1000} s`);
}

/** The error of a connection that failed. fetch hides the reason in `cause`. */
export function networkError(error: unknown): OdooError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return new OdooError('unreachable', `Odoo cannot be reached: ${firstLine(messageOf(cause))}`);
}

/** The error of an answer in a language that Odoo does not speak. */
export function notOdoo(text: string): OdooError {
  return new OdooError(
    'unreachable',
    `the answer is not Odoo's, it starts with ${JSON.stringify(text.slice(0, 40))}: is ODOO_URL right?`,
  );
}

/** The error of an answer beyond the size limit. */
export function tooLarge(maxResponseBytes: number): OdooError {
  return new OdooError('overload', `the answer is larger than ${maxResponseBytes} bytes, left unread`);
}

async function readLimited(response: Response, maxResponseBytes: number): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  // Leaving the loop by throwing cancels the stream, which closes the connection.
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxResponseBytes) throw tooLarge(maxResponseBytes);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
