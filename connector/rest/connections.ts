// Connections: how many there may be, of one address and of all, and what is answered to what is no HTTP.
import { STATUS_CODES, type Server } from 'node:http';
import { BlockList, isIPv6, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { faultAt, HttpError, toProblem } from './problem.ts';

/** Open at a time. */
export interface ConnectionLimits {
  perAddress: number;
  total: number;
  /** Addresses and networks of reverse proxies: everybody's connections are theirs, so those are not limited by address. */
  proxies: readonly string[];
}

/** Watches over a server's connections. */
export function limitConnections(server: Server, limits: ConnectionLimits, logger: Logger): void {
  const open = new Map<string, number>();
  server.maxConnections = limits.total;
  const isProxy = matcher(limits.proxies);
  const onConnection = (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.once(
      'close',
      bounded(logger, 'end of a REST connection', () => forget(open, address)),
    );
    if (count <= limits.perAddress || isProxy(address)) return;
    const detail = `more than rest.max_connections_per_address = ${limits.perAddress} connections; use open ones again`;
    socket.on(
      'error',
      bounded(logger, 'REST connection', () => undefined),
    );
    answerProblem(socket, new HttpError(429, detail));
  };
  server.on('connection', bounded(logger, 'REST connection', onConnection));
  const onClientError = (error: Error & { code?: string }, socket: Socket) => {
    // In the middle of an answer there is nothing left to say.
    if (socket.writable && socket.bytesWritten === 0)
      answerProblem(socket, unread[error.code ?? ''] ?? noHttp);
    else socket.destroy();
  };
  server.on('clientError', bounded(logger, 'REST client error', onClientError));
}

function forget(open: Map<string, number>, address: string): void {
  const left = (open.get(address) ?? 1) - 1;
  if (left === 0) open.delete(address);
  else open.set(address, left);
}

const noHttp = faultAt('request', 'this is no HTTP request', 400);
const unread: Readonly<Record<string, HttpError>> = {
  HPE_HEADER_OVERFLOW: faultAt('headers', 'the headers are larger than 16 kB', 431),
  ERR_HTTP_REQUEST_TIMEOUT: faultAt('request', 'the request did not come in time', 408),
};

function matcher(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = familyOf(address);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => list.check(address, familyOf(address));
}

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** Answers on a bare socket and closes it, also for a peer that never closes its side. */
export function answerProblem(socket: Duplex, error: HttpError): void {
  const body = JSON.stringify(toProblem(error));
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...(error.status === 429 ? ['Retry-After: 60'] : []),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
