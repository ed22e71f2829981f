// The door of the live stream: an upgrade request is no route, so it is checked, counted and answered here.
import type { Admit } from '../live/hub.ts';
import { isAuthorized, noToken } from './auth.ts';
import { answerProblem } from './connections.ts';
import { HttpError, noSuch } from './problem.ts';
import type { FailedLogins } from './rate-limit.ts';

/** Who is sent away. */
export interface LiveDoor {
  /** Opens it. */
  token: string;
  /** Most at a time. */
  listeners: number;
  logins: Pick<FailedLogins, 'count'>;
}

const path = '/api/v1/live';

/** Lets in who asks for the stream with the token, as long as there is room. */
export function liveDoor({ token, listeners: most, logins }: LiveDoor): Admit {
  return async (request, socket, listeners) => {
    const refuse = (why: HttpError) => {
      answerProblem(socket, why);
      return false;
    };
    if (pathOf(request.url ?? '') !== path) return refuse(noSuch('address', `the live stream is at ${path}`));
    if (!isAuthorized(request.headers.authorization, token)) {
      const mayTryAgain = await logins.count(request.socket.remoteAddress ?? '');
      return refuse(mayTryAgain ? noToken : tooManyTokens);
    }
    if (listeners < most) return true;
    return refuse(new HttpError(503, `there are rest.max_live_listeners = ${most} listeners already`));
  };
}

const tooManyTokens = new HttpError(429, 'too many wrong tokens; wait a minute');

/** The path of a request's target as it was sent, without its query. */
const pathOf = (target: string) => target.split('?', 1)[0];
