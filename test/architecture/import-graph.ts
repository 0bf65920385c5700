import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';

/** Files of a source tree (path with `/`, relative to its root) and the files of the tree that each imports, types included. */
export type ImportGraph = Map<string, string[]>;

/** Text of every .ts file below a folder, by path relative to it. */
export function readSources(root: string): Map<string, string> {
  const sources = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) walk(path);
      else if (name.endsWith('.ts')) sources.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'));
    }
  };
  if (existsSync(root)) walk(root);
  return sources;
}

/** @throws Error for a relative import that leads to no file of the tree: it would escape every check. */
export function importGraph(sources: Map<string, string>): ImportGraph {
  const graph: ImportGraph = new Map();
  for (const [file, text] of sources) {
    const imported = new Set<string>();
    for (const specifier of moduleSpecifiers(file, text)) {
      if (!specifier.startsWith('.')) continue;
      const target = join(dirname(file), specifier).split(sep).join('/').replace(/\.js$/, '.ts');
      if (!sources.has(target)) throw new Error(`${file} imports ${specifier}, which is no file of the tree`);
      imported.add(target);
    }
    graph.set(file, [...imported]);
  }
  return graph;
}

/** Every module named in a file: import, export from, import(), require(), import type and `import('x').T`. */
function moduleSpecifiers(file: string, text: string): string[] {
  const specifiers: string[] = [];
  const visit = (node: ts.Node): void => {
    const named =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isExternalModuleReference(node)
          ? node.expression
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : ts.isCallExpression(node) && isModuleCall(node)
              ? node.arguments[0]
              : undefined;
    if (named && ts.isStringLiteralLike(named)) specifiers.push(named.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return specifiers;
}

function isModuleCall({ expression }: ts.CallExpression): boolean {
  return (
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require')
  );
}

/** Groups of files that import each other in a circle (strongly connected, more than one file, or a file importing itself). */
export function cycles(graph: ImportGraph): string[][] {
  const indexOf = new Map<string, number>();
  const lowOf = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    indexOf.set(file, indexOf.size);
    lowOf.set(file, indexOf.get(file)!);
    open.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!indexOf.has(target)) visit(target);
      if (open.includes(target)) lowOf.set(file, Math.min(lowOf.get(file)!, lowOf.get(target)!));
    }
    if (lowOf.get(file) !== indexOf.get(file)) return;
    const group = open.splice(open.indexOf(file));
    if (group.length > 1 || graph.get(file)?.includes(file)) found.push(group.sort());
  };
  for (const file of graph.keys()) if (!indexOf.has(file)) visit(file);
  return found;
}
