// What a configuration file may not hold although it is YAML, or although the parser only warns.
import {
  isMap,
  isScalar,
  isSeq,
  visit,
  type Document,
  type Node,
  type Pair,
  type Scalar,
  type YAMLError,
} from 'yaml';
import { isMergeKey, type Finder } from './nodes.ts';
import { placeOf, wordProblem, type Problem } from './text.ts';

/** Errors and warnings of the parser. */
export function parserProblems(document: Document.Parsed, text: string): Problem[] {
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    // What follows `${` in a flow map is taken for a map of its own.
    message: text.startsWith('${', error.pos[0] - 1)
      ? 'inside { } and [ ], "${NAME}" needs quotes'
      : messageOf(error),
  }));
  const { explicit, version } = document.directives.yaml;
  if (explicit === true && version !== '1.2')
    problems.push({ offset: 0, message: `%YAML ${version}: files are read as YAML 1.2` });
  return problems.sort((a, b) => a.offset - b.offset);
}

function messageOf(error: YAMLError): string {
  const [text = 'not YAML'] = error.message.split('\n');
  if (error.code === 'MULTIPLE_DOCS') return 'a second document begins here (---); a file is one document';
  return error.code === 'TAG_RESOLVE_FAILED' ? tagMessage(text.split(' ').at(-1) ?? '') : text;
}

function tagMessage(tag: string): string {
  const hint = /secret|env/i.test(tag) ? '; secrets come from the environment: ${NAME}' : '';
  return `tag ${tag} does not fit or is not known${hint || '; text that begins with ! needs quotes'}`;
}

const knownTags = ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map(
  (name) => `tag:yaml.org,2002:${name}`,
);

/** What the parser has nothing against. Keys become the texts that stand there: `007` stays `007`. */
export function documentProblems(document: Document, { target }: Finder, text: string): Problem[] {
  const problems: Problem[] = [];
  const add = (node: { range?: readonly number[] | null | undefined }, message: string | undefined) => {
    if (message !== undefined) problems.push({ offset: node.range?.[0] ?? 0, message });
  };
  // What a visitor returns would steer the walk: nothing here returns anything.
  visit(document, {
    Alias(_key, node) {
      const found = target(node) as Node | undefined;
      if (found === undefined) add(node, `there is no anchor &${node.source} before this alias`);
      else if (isInside(node, found)) add(node, `alias *${node.source} stands inside of its own anchor`);
    },
    Scalar(_key, node) {
      add(node, unknownTag(node));
      if (node.type === 'PLAIN' && typeof node.value === 'string') add(node, wordProblem(node.value));
    },
    Seq(_key, node) {
      add(node, unknownTag(node));
    },
    Map(_key, node) {
      add(node, unknownTag(node));
      problems.push(...repeatedKeys(node.items, text));
    },
    Pair(_key, pair) {
      add(nodeOf(pair), pairProblem(pair, target, text));
    },
  });
  return problems.sort((a, b) => a.offset - b.offset);
}

const unknownTag = ({ tag }: { tag?: string }) =>
  tag === undefined || tag === '!' || knownTags.includes(tag) ? undefined : tagMessage(tag);

function isInside(
  inner: { range?: readonly number[] | null | undefined },
  outer: { range?: readonly number[] | null | undefined },
) {
  const at = inner.range?.[0] ?? 0;
  return at >= (outer.range?.[0] ?? 0) && at < (outer.range?.[1] ?? 0);
}

const nodeOf = (pair: Pair) => (pair.key ?? pair.value ?? {}) as { range?: readonly number[] | null };

function pairProblem({ key, value }: Pair, target: Finder['target'], text: string): string | undefined {
  if (isMergeKey(key)) {
    const source = target(value);
    const sources = isSeq(source) ? source.items : [source];
    return sources.every((item) => isMap(target(item)))
      ? undefined
      : 'only sections can be merged in: <<: *anchor';
  }
  if (!isScalar(key) || key.value === null) return 'a key is a word; quote it if it is meant so';
  if (isScalar(value) && isSecret(key) && hasGluedRemark(value, text))
    return `the value ends before ' #'; quote it if that belongs to it, else write '# ' for a remark`;
  return undefined;
}

/** Where a cut-off value would not be noticed. */
const isSecret = (key: Scalar) => /password|secret|token|key/i.test(String(key.value));

/** `geheim #1`: the value is `geheim`, and the writer probably means more. */
const hasGluedRemark = ({ type, range }: Scalar, text: string) =>
  (type === 'PLAIN' || type === undefined) && /^[ \t]*#[^\s#]/.test(text.slice(range?.[1] ?? text.length));

function repeatedKeys(pairs: readonly Pair[], text: string): Problem[] {
  const first = new Map<unknown, number>();
  const problems: Problem[] = [];
  for (const { key } of pairs) {
    if (!isScalar(key)) continue;
    if (typeof key.value !== 'string' && typeof key.value !== 'symbol' && key.value !== null)
      key.value = key.source ?? JSON.stringify(key.value);
    const name = typeof key.value === 'symbol' ? '<<' : key.value;
    const offset = key.range?.[0] ?? 0;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, offset);
    else
      problems.push({
        offset,
        message: `key '${String(name)}' stands here twice; first at ${placeOf(text, earlier)}`,
      });
  }
  return problems;
}
