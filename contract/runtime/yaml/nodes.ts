// Finds the nodes of a YAML document by the path that its value has, through aliases and merge keys.
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  visit,
  type Alias,
  type Document,
  type Node,
  type Pair,
} from 'yaml';

export type Path = readonly PropertyKey[];

/** Where things stand in a document. */
export interface Finder {
  /** What an alias stands for; any other node stands for itself. Undefined where no anchor was before. */
  target: (node: unknown) => unknown;
  /** The node below another one. */
  childOf: (node: unknown, key: PropertyKey) => unknown;
  /** Position of the key at a path, or of the nearest parent that exists. */
  offsetOf: (path: Path) => number;
}

/** A merge key, `<<`. */
export const isMergeKey = (key: unknown): boolean =>
  isScalar(key) && typeof key.value === 'symbol' && key.value.description === '<<';

/** Looks through the document once: the parser's own `resolve` does so for every alias. */
export function createFinder(document: Document): Finder {
  const targets = targetsOf(document);
  const target = (node: unknown) => (isAlias(node) ? targets.get(node) : node);

  /** The pair of a map with a key: its own, or else that of a map that it merges in. */
  function pairOf(node: unknown, key: PropertyKey): Pair | undefined {
    const map = target(node);
    if (!isMap(map)) return undefined;
    const name = String(key);
    const own = map.items.find((item) => isScalar(item.key) && item.key.value === name);
    if (own !== undefined) return own;
    for (const item of map.items) {
      if (!isMergeKey(item.key)) continue;
      const source = target(item.value);
      for (const merged of isSeq(source) ? source.items : [source]) {
        const pair = pairOf(merged, key);
        if (pair !== undefined) return pair;
      }
    }
    return undefined;
  }

  const childOf: Finder['childOf'] = (node, key) => {
    const parent = target(node);
    return target(isSeq(parent) ? parent.items[Number(key)] : pairOf(parent, key)?.value);
  };
  return {
    target,
    childOf,
    offsetOf: (path) => {
      let offset = startOf(document.contents) ?? 0;
      let node: unknown = document.contents;
      for (const key of path) {
        const parent = target(node);
        const found = isSeq(parent) ? parent.items[Number(key)] : pairOf(parent, key)?.key;
        if (found === undefined) break;
        offset = startOf(found) ?? offset;
        node = childOf(parent, key);
      }
      return offset;
    },
  };
}

/** Of several anchors with one name, the last one before the alias counts. */
function targetsOf(document: Document): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Value(_key, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias(_key, node) {
      const found = anchors.get(node.source);
      if (found !== undefined) targets.set(node, found);
    },
  });
  return targets;
}

const startOf = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0];

/** `a.b[2].c` */
export const formatPath = (path: Path): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
