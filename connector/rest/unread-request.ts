// Requests that express and its body parser cannot read, in our words: theirs name functions and streams.

/** What is wrong with a request that nobody could read. */
export interface Unread {
  status: number;
  path: string;
  message: string;
}

/** What they threw, as a fault of the request; undefined for what is none. */
export function unreadRequest(thrown: unknown): Unread | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const { status, type, limit } = thrown as { status?: unknown; type?: unknown; limit?: unknown };
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  if (thrown instanceof URIError)
    return { status, path: 'address', message: '% is followed by what is no UTF-8 text' };
  const known = typeof type === 'string' ? bodies[type] : undefined;
  if (type === 'entity.too.large')
    return {
      status,
      path: 'body',
      message: `is larger than ${String(limit)} bytes, which is the limit here`,
    };
  if (known !== undefined) return { status, ...known };
  return { status, path: 'body', message: 'cannot be read: is it compressed as Content-Encoding says?' };
}

const bodies: Readonly<Record<string, Omit<Unread, 'status'>>> = {
  'encoding.unsupported': { path: 'Content-Encoding', message: 'expected gzip, deflate, br, zstd or none' },
  'request.size.invalid': { path: 'Content-Length', message: 'the body has another length' },
  'request.aborted': { path: 'body', message: 'ended before it was complete' },
};
