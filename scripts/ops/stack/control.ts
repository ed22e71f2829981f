// The control channel of the service daemon: one JSON request and one JSON answer per connection on a Unix socket.
import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { relative } from 'node:path';
import { text } from 'node:stream/consumers';

export interface ControlRequest {
  do: 'start' | 'stop';
  service: string;
}

interface ControlAnswer {
  error?: string;
}

// A Unix socket's path holds about 100 characters; relative to the working directory it is always short enough.
const shortPath = (socket: string): string => relative(process.cwd(), socket);

/** Answers requests with `handle`; an error it throws goes to the one who asked. */
export function serveControl(
  socket: string,
  handle: (request: ControlRequest) => Promise<void>,
): Promise<Server> {
  rmSync(socket, { force: true });
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    connection.on('error', () => connection.destroy());
    const work = async (): Promise<ControlAnswer> => {
      await handle(JSON.parse(await text(connection)) as ControlRequest);
      return {};
    };
    work()
      .catch((error: unknown): ControlAnswer => ({
        error: error instanceof Error ? error.message : String(error),
      }))
      .then((answer) => connection.end(JSON.stringify(answer)))
      .catch(() => connection.destroy());
  });
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(shortPath(socket), () => done(server));
  });
}

/** Sends one request to the daemon and waits until it is carried out. Throws what the daemon threw. */
export async function askDaemon(socket: string, request: ControlRequest): Promise<void> {
  const connection = connect(shortPath(socket));
  connection.end(JSON.stringify(request));
  const reply = await text(connection);
  const answer = (
    reply === '' ? { error: 'the stack ended before it answered' } : JSON.parse(reply)
  ) as ControlAnswer;
  if (answer.error !== undefined) throw new Error(answer.error);
}
