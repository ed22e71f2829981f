// Dead letters: list, look, replay.
import * as z from 'zod';
import { toAppError } from '../../contract/errors.ts';
import { listDeadLetters, loadDeadLetters, showDeadLetter } from '../db/dead-letters.ts';
import type { Queryable } from '../db/pool.ts';
import { replay } from '../ingest/replay.ts';
import type { IngestPort } from '../ingest/submit.ts';
import { HttpError, noSuch } from './problem.ts';
import { route, type Route } from './route.ts';

const tag = 'Dead letters';
const id = z.coerce.number().int().min(1);
const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const facts = {
  id: z.int(),
  received_at: z.iso.datetime(),
  topic: z.string(),
  reason: z.string(),
  payload_size: z.int(),
  batch_id: z.string().nullable().describe('As in the log of the connector'),
  replays: z.int(),
  replayed_at: z.iso.datetime().nullable(),
};
const choice = {
  topic: z.string().optional().describe('Beginning of the topic'),
  reason: z.string().optional().describe('Part of the reason'),
  start: moment.optional().describe('Received from then on'),
};
const mostReplays = 1_000;

/** The routes; `port` throws AppError `transient` while data cannot be taken, `refresh` `invalid` while profiles are wrong. */
export function deadLetterRoutes(
  db: Queryable,
  port: () => IngestPort,
  refresh: () => Promise<void>,
): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/dead-letters',
      tag,
      summary: 'Messages that could not be taken, newest first',
      query: z.strictObject({
        limit: z.coerce.number().int().min(1).max(1_000).default(20),
        state: z.enum(['waiting', 'replayed', 'all']).default('all'),
        ...choice,
        cursor: id.optional().describe('Only ids below this one: the last of the previous page'),
      }),
      renamed: { input: { start: 'since', cursor: 'before' } },
      answer: z.array(z.strictObject({ ...facts, payload_start: z.string() })),
      handle: ({ query: { limit, ...filter } }) => listDeadLetters(db, filter, limit),
    }),
    route({
      method: 'get',
      path: '/api/v1/dead-letters/{id}',
      tag,
      summary: 'One of them, with its payload as stored',
      params: z.object({ id }),
      example: { params: { id: '17' } },
      answer: z.strictObject({
        ...facts,
        is_cut: z.boolean().describe('Only the first 64 kB are kept'),
        payload: z.string(),
        payload_base64: z.string(),
      }),
      async handle({ params }) {
        const letter = await showDeadLetter(db, params.id);
        if (letter === undefined) throw noSuch('id', `there is no dead letter ${params.id}`);
        return letter;
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/dead-letters/replay',
      tag,
      summary: 'Sends them through the pipeline again',
      description: `After a profile or the catalogue was mended: they are read again first, and while a file is wrong nothing is replayed (422). Oldest first, at most ${mostReplays} a request; those that are taken are marked, the others get their new reason.`,
      body: z
        .strictObject({
          ids: z.array(z.int()).max(mostReplays).optional(),
          ...choice,
          all: z.literal(true).optional(),
          cursor: z.int().optional().describe('Only ids above this one: the last of the previous request'),
        })
        .refine(
          (body) => Object.keys(body).some((key) => key !== 'cursor'),
          'name ids, topic, reason or start, or say "all": true',
        ),
      renamed: { input: { start: 'since', cursor: 'after' }, output: { rejected: 'refused' } },
      example: { body: { ids: [17] } },
      answer: z.strictObject({
        taken: z.int(),
        dead: z.int().describe('Still cannot be taken'),
        rejected: z.int().describe('Not tried: taken before, or not all of it is kept'),
        results: z.array(
          z.strictObject({
            id: z.int(),
            status: z.enum(['taken', 'dead', 'rejected']),
            reason: z.string().optional(),
          }),
        ),
      }),
      async handle({ body: { ids, topic, reason, start, cursor } }) {
        const { intake, rows } = port();
        await refresh().catch((error: unknown) => {
          const { kind, message } = toAppError(error);
          throw kind === 'invalid' ? new HttpError(422, `nothing was replayed: ${message}`) : error;
        });
        // A named one that was replayed already is told so, others are left out.
        const filter = {
          ids,
          topic,
          reason,
          start,
          cursor,
          state: ids === undefined ? 'waiting' : 'all',
        } as const;
        const results = await replay({ intake, rows }, await loadDeadLetters(db, filter, mostReplays));
        const count = (wanted: string) => results.filter(({ status }) => status === wanted).length;
        return { taken: count('taken'), dead: count('dead'), rejected: count('rejected'), results };
      },
    }),
  ];
}
