// npm run dead-letters -- list|show|replay: messages that could not be taken, through the connector's REST API.
import { parseArgs } from 'node:util';
import { messageOf } from '../../../contract/errors.ts';
import { readEnvFile } from '../stack/env-file.ts';
import { openInstance } from '../stack/instance.ts';
import { describeReplay, formatLetter, formatLetters, type Letter, type Replayed } from './format.ts';

const usage = `Usage:
  npm run dead-letters -- list [--state waiting|replayed|all] [--topic BEGINNING] [--reason PART] [--start TIME] [--limit N]
  npm run dead-letters -- show ID
  npm run dead-letters -- replay ID... | --topic BEGINNING | --reason PART | --start TIME | --all
Takes CONNECTOR_URL and CONNECTOR_TOKEN from the environment, else from .stack/env of npm start. --since is the former name of --start.`;

/** Most that one request replays. */
const pageSize = 1_000;

type Options = Record<string, string | boolean | undefined>;

async function main(args: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      state: text,
      topic: text,
      reason: text,
      start: text,
      since: text,
      limit: text,
      all: { type: 'boolean' },
    },
  });
  const [command, ...ids] = positionals;
  const areIds = ids.every((id) => /^\d+$/.test(id));
  if (command === 'list' && ids.length === 0) return list(values);
  if (command === 'show' && ids.length === 1 && areIds) return show(ids[0] ?? '');
  if (command === 'replay' && areIds && ids.length > 0 !== Object.keys(values).length > 0)
    return replay(ids.map(Number), values);
  console.error(usage);
  return 2;
}

async function list(options: Options): Promise<number> {
  const query = new URLSearchParams({ state: 'waiting' });
  for (const [name, value] of Object.entries(options)) query.set(name, String(value));
  console.log(formatLetters(await ask<Letter[]>(`/api/v1/dead-letters?${query.toString()}`)));
  return 0;
}

async function show(id: string): Promise<number> {
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
  const file = process.env['CONNECTOR_URL'] === undefined ? readEnvFile(openInstance('demo')) : undefined;
  const env = file ?? process.env;
  const url = env['CONNECTOR_URL'];
  if (url === undefined)
    throw new Error('which connector? Set CONNECTOR_URL and CONNECTOR_TOKEN, or run npm start');
  const response = await fetch(url + path, {
    headers: { authorization: `Bearer ${env['CONNECTOR_TOKEN'] ?? ''}` },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { detail?: string };
  if (!response.ok)
    throw new Error(`the connector answers ${response.status}: ${answer.detail ?? 'no reason'}`);
  return answer;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 2;
}
