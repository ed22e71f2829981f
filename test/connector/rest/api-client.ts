// Asks a test connector's REST API.
import type { TestConnector } from '../../support/connector.ts';

/** An answer, its body parsed where it is JSON. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  body: Record<string, unknown>;
}

/** Sends a request with the connector's token; `body` goes as JSON. */
export async function ask(
  connector: TestConnector,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(connector.url + path, {
    method: options.body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${connector.token}`, ...options.headers },
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
  });
  const text = await response.text();
  const isJson = /json(;|$)/.test(response.headers.get('content-type') ?? '');
  const isLines = response.headers.get('content-type')?.includes('ndjson') === true;
  const body = isJson && !isLines && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, text, body };
}
