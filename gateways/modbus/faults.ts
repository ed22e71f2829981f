// What can be wrong on a bus, as errors.
import { AppError } from '../../contract/errors.ts';

/** The connection is down, not the unit: other units are silent for the same reason. */
export class BusDownError extends AppError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('transient', message, options);
    this.name = 'BusDownError';
  }
}

/** The other side ended the connection while an answer was awaited. */
export class ConnectionEndedError extends BusDownError {
  constructor(message: string) {
    super(message);
    this.name = 'ConnectionEndedError';
  }
}

/** The unit answered with a Modbus exception: 1 function, 2 address, 3 value not supported, 4 failure, 6 busy … */
export class RefusedError extends AppError {
  readonly code: number;
  constructor(message: string, code: number, options?: { cause?: unknown }) {
    super('transient', message, options);
    this.name = 'RefusedError';
    this.code = code;
  }
}
