// Where a source can be looked at: the lines that hold code, and both ways of each decision. Types, imports, comments and
// lone brackets are not code: nothing can be wrong with them while the program runs. No I/O.
import ts from 'typescript';

/** Places are offsets in the source. */
export interface Points {
  /** Of each line with code: its words. */
  lines: { line: number; words: number[] }[];
  branches: Branch[];
}

/** A way that a decision can take: how often `at` ran, less how often `less` did (an `if` without `else` has no place of its own). */
export interface Branch {
  line: number;
  at: number;
  less?: number;
}

/** Reads a TypeScript source. */
export function pointsOf(source: string): Points {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest);
  const lineOf = (place: number): number => file.getLineAndCharacterOfPosition(place).line + 1;
  const lines = new Map<number, number[]>();
  const branches: Branch[] = [];

  function visit(node: ts.Node): void {
    if (isNoCode(node)) return;
    for (const [at, less] of waysOf(node, file))
      branches.push({ line: lineOf(at), at, ...(less === undefined ? {} : { less }) });
    ts.forEachChild(node, visit);
    if (hasParts(node)) return;
    const place = node.getStart(file);
    lines.set(lineOf(place), [...(lines.get(lineOf(place)) ?? []), place]);
  }

  file.statements.forEach(visit);
  const sorted = [...lines].sort(([a], [b]) => a - b);
  return { lines: sorted.map(([line, words]) => ({ line, words })), branches };
}

const hasParts = (node: ts.Node): boolean => ts.forEachChild(node, () => true) === true;

const isNoCode = (node: ts.Node): boolean =>
  ts.isTypeNode(node) ||
  ts.isTypeParameterDeclaration(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isImportDeclaration(node) ||
  ts.isExportDeclaration(node) ||
  // A function that never ran is not seen by its `export`.
  ts.isModifier(node);

const logical = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);

/** Both ways of `if` and `?:`, each non-empty case of a switch, and the right side of `&&`, `||`, `??`. */
function waysOf(node: ts.Node, file: ts.SourceFile): [at: number, less?: number][] {
  const start = (of: ts.Node): number => of.getStart(file);
  if (ts.isIfStatement(node)) {
    const then = start(node.thenStatement);
    return [[then], node.elseStatement === undefined ? [start(node), then] : [start(node.elseStatement)]];
  }
  if (ts.isConditionalExpression(node)) return [[start(node.whenTrue)], [start(node.whenFalse)]];
  if (ts.isBinaryExpression(node) && logical.has(node.operatorToken.kind)) return [[start(node.right)]];
  if (ts.isCaseOrDefaultClause(node)) {
    const [first] = node.statements;
    return first === undefined ? [] : [[start(first)]];
  }
  return [];
}
