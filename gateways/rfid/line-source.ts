// The line to a reader: a TCP connection or a serial port, opened again for ever.
import { connect, type Socket } from 'node:net';
import { SerialPort } from 'serialport';
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import { messageOf } from '../../contract/errors.ts';
import { backoffMs } from '../../contract/backoff.ts';
import type { Reader } from './section.ts';

interface LineEvents {
  onText: (text: string) => void;
  onOpen: () => void;
  onClose: (reason: string) => void;
  logger: Logger;
}

/** Opens at once, and again after every end. Returns the way to stop. */
export function openLine(reader: Reader, { onText, onOpen, onClose, logger }: LineEvents): () => void {
  let stopped = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let current: Socket | SerialPort | undefined;

  const open = () => {
    let reason = 'the reader ended the connection';
    const line =
      reader.path === undefined
        ? openSocket(reader)
        : new SerialPort({ path: reader.path, baudRate: reader.baud });
    current = line;
    const opened = () => {
      failures = 0;
      onOpen();
    };
    line.on(line instanceof SerialPort ? 'open' : 'connect', bounded(logger, 'reader connection', opened));
    const onData = (chunk: Buffer) => onText(chunk.toString('latin1'));
    line.on('data', bounded(logger, 'reader line', onData));
    let ended = false;
    const end = () => {
      if (ended || stopped) return;
      ended = true;
      line.destroy();
      onClose(reason);
      timer = setTimeout(
        bounded(logger, 'reader connection', open),
        backoffMs(++failures, { baseMs: 500, capMs: reader.retry_max_ms }),
      );
    };
    const onError = (error: Error) => {
      reason = messageOf(error);
      end();
    };
    line.on('error', bounded(logger, 'reader connection', onError));
    line.on('close', bounded(logger, 'reader connection', end));
  };
  open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    current?.destroy();
  };
}

function openSocket({ host = '', port = 0 }: Reader): Socket {
  const socket = connect({ host, port });
  // A reader says nothing while no animal comes: only the keepalive finds out that it has gone.
  socket.setKeepAlive(true, 10_000);
  return socket;
}
