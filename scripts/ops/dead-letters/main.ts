// npm run dead-letters -- list|show|replay: messages that could not be taken, through the connector's REST API.
import { messageOf } from '../../../contract/errors.ts';
import {
  atMost,
  oneOf,
  readArgs,
  runCommand,
  UsageError,
  wholeNumber,
} from '../../../contract/runtime/command-line.ts';
import { readEnvFile } from '../stack/env-file.ts';
import { openInstance } from '../stack/instance.ts';
import { describeReplay, formatLetter, formatLetters, type Letter, type Replayed } from './format.ts';

const usage = `Usage:
  npm run dead-letters -- list [--state waiting|replayed|all] [--topic BEGINNING] [--reason PART] [--start TIME] [--limit N]
  npm run dead-letters -- show ID
  npm run dead-letters -- replay ID... | --topic BEGINNING | --reason PART | --start TIME | --all
CONNECTOR_URL and CONNECTOR_TOKEN come from the environment, else from .stack/env of npm start. --since is the former name of --start.`;

/** Most that one request replays. */
const pageSize = 1_000;

type Options = Record<string, string | boolean | undefined>;

async function main(args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = readArgs(args, {
    state: text,
    topic: text,
    reason: text,
    start: text,
    since: text,
    limit: text,
    all: { type: 'boolean' },
  });
  const command = oneOf('command', positionals[0], ['list', 'show', 'replay']);
  const ids = positionals.slice(1).map((id) => wholeNumber('ID', id, 1, Number.MAX_SAFE_INTEGER));
  if (values.state !== undefined) oneOf('--state', values.state, ['waiting', 'replayed', 'all']);
  if (values.limit !== undefined) wholeNumber('--limit', values.limit, 1, 1_000);
  if (command === 'list') {
    atMost(1, positionals);
    return list(values);
  }
  if (command === 'show') {
    const [id] = ids;
    if (id === undefined) throw new UsageError('show which ID?');
    atMost(2, positionals);
    return show(id);
  }
  if (ids.length > 0 === Object.keys(values).length > 0)
    throw new UsageError('replay which? IDs, or one of --topic, --reason, --start, --all');
  return replay(ids, values);
}

async function list(options: Options): Promise<number> {
  const query = new URLSearchParams({ state: 'waiting' });
  for (const [name, value] of Object.entries(options)) query.set(name, String(value));
  console.log(formatLetters(await ask<Letter[]>(`/api/v1/dead-letters?${query.toString()}`)));
  return 0;
}

async function show(id: number): Promise<number> {
  console.log(formatLetter(await ask<Letter>(`/api/v1/dead-letters/${id}`)));
  return 0;
}

/** Replays page by page; 1 when some still cannot be taken. */
async function replay(ids: number[], options: Options): Promise<number> {
  const totals = { taken: 0, dead: 0, rejected: 0 };
  const choice = ids.length > 0 ? { ids } : options;
  for (let cursor: number | undefined = 0; cursor !== undefined;) {
    const page: Replayed = await ask<Replayed>('/api/v1/dead-letters/replay', { ...choice, cursor });
    for (const result of page.results) if (result.status !== 'taken') console.log(describeReplay(result));
    totals.taken += page.taken;
    totals.dead += page.dead;
    totals.rejected += page.rejected;
    cursor = page.results.length === pageSize ? page.results.at(-1)?.id : undefined;
  }
  console.log(`${totals.taken} taken, ${totals.dead} still dead, ${totals.rejected} rejected`);
  return totals.dead + totals.rejected > 0 ? 1 : 0;
}

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const { url, token } = connector();
  const response = await fetch(url + path, {
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new Error(
      `no connector answers at ${url} (${reasonOf(error)}): npm start starts it, npm run stack -- status says what runs`,
      { cause: error },
    );
  });
  const answer = (await response.json().catch(() => ({}))) as T & { detail?: string };
  if (!response.ok)
    throw new Error(`the connector at ${url} answers ${response.status}: ${answer.detail ?? 'no reason'}`);
  return answer;
}

/** Of the environment, else the one that npm start runs. */
function connector(): { url: string; token: string } {
  const env = process.env['CONNECTOR_URL'] === undefined ? readEnvFile(openInstance('demo')) : process.env;
  const url = env?.['CONNECTOR_URL'];
  if (url === undefined)
    throw new Error('which connector? Run npm start first, or set CONNECTOR_URL and CONNECTOR_TOKEN');
  return { url, token: env?.['CONNECTOR_TOKEN'] ?? '' };
}

/** fetch hides the reason one level down. */
const reasonOf = (error: unknown): string =>
  messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);

await runCommand(usage, main);
