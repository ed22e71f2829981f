// Bodies: bytes first, so that a signature can be checked before anything is read from them, then JSON that the database can hold.
import express, { type Request, type RequestHandler } from 'express';
import { wrongField } from './problem.ts';

/** Deeper than anything that is sent to us; what goes on for ever ends here. */
const deepest = 32;

/** Bodies of other routes than batches. */
export const usualBodyBytes = 262_144;

/** Reads the bytes. A type that cannot be JSON is 415, a body above `limit` 413. */
export const bodyBytes = (limit: number): RequestHandler[] => [
  (request, _response, next) => {
    const [type = '', ...parameters] = (request.get('content-type') ?? '').toLowerCase().split(';');
    const charset = parameters.map((each) => /^\s*charset="?([^"]*)"?\s*$/.exec(each)?.[1]).find(Boolean);
    if (!mayBeJson(type.trim()))
      throw wrongField('Content-Type', `expected application/json, got ${type}`, 415);
    if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset))
      throw wrongField('Content-Type', `JSON is UTF-8, got charset ${charset}`, 415);
    next();
  },
  express.raw({ limit, type: () => true }),
];

/** What curl and fetch say unless they are told is let through: whether it is JSON shows. */
const mayBeJson = (type: string) =>
  type === 'application/json' || type === 'text/json' || type.endsWith('+json') || isUnsaid(type);
const isUnsaid = (type: string) => ['', 'application/x-www-form-urlencoded', 'text/plain'].includes(type);

/** The bytes of the request's body. */
export const bytesOf = (request: Request): Buffer =>
  Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);

/** The content of the request's body as it came; undefined without one. Throws 400 with the place, or 415 for what was never meant as JSON. */
export function jsonOf(request: Request): unknown {
  const bytes = bytesOf(request);
  return bytes.length === 0 ? undefined : parse(request, bytes.toString('utf8').replace(/^\uFEFF/, ''));
}

/** As `jsonOf`, but throws 400 also for what the database cannot hold and for what is nested without end. */
export function contentOf(request: Request): unknown {
  const content = jsonOf(request);
  // Only an escape can bring a NUL or half a character: where there is none, no text has to be looked at.
  const fault = faultOf(content, 0, bytesOf(request).includes('\\u'));
  if (fault === undefined) return content;
  throw wrongField(fault.path.join('.').slice(0, 200) || 'body', fault.message);
}

function parse(request: Request, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const type = (request.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    if (type !== '' && isUnsaid(type) && !/^\s*[[{]/.test(text))
      throw wrongField('Content-Type', `expected application/json, got ${type}`, 415);
    const place = /line (\d+) column (\d+)/.exec(error instanceof Error ? error.message : '');
    const where = place === null ? '' : `: wrong at line ${place[1]}, column ${place[2]}`;
    throw wrongField('body', `is not JSON${where}`);
  }
}

interface Fault {
  path: string[];
  message: string;
}

function faultOf(value: unknown, depth: number, withTexts: boolean): Fault | undefined {
  if (typeof value === 'string') return withTexts ? faultOfText(value) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === deepest) return { path: [], message: `is nested deeper than ${deepest} levels` };
  for (const [key, member] of Object.entries(value)) {
    const name = withTexts ? faultOfText(key) : undefined;
    if (name !== undefined)
      return { path: [key.replaceAll('\0', '').toWellFormed()], message: `its name ${name.message}` };
    const fault = faultOf(member, depth + 1, withTexts);
    if (fault !== undefined) return { path: [key, ...fault.path], message: fault.message };
  }
  return undefined;
}

/** What no database keeps as text. */
export function faultOfText(text: string): Fault | undefined {
  if (text.includes('\0')) return { path: [], message: 'has a NUL character in it' };
  if (!text.isWellFormed()) return { path: [], message: 'has half a character in it (a lone surrogate)' };
  return undefined;
}
