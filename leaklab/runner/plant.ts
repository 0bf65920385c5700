import ts from 'typescript';

/** The line that leaks, and the function it stands in. Lines are 1-based. */
export interface Plant {
  readonly file: string;
  readonly line: number;
  /** Innermost function with a name around it; functions without one inside of it belong to it. */
  readonly function: { readonly name: string; readonly firstLine: number; readonly lastLine: number } | null;
}

const MARK = /\/\/ plant\s*$/;

/** Null when no line is marked. @throws Error when several are */
export function plantIn(file: string, text: string): Plant | null {
  const lines = text.split('\n').flatMap((line, index) => (MARK.test(line) ? [index + 1] : []));
  if (lines.length === 0) return null;
  if (lines.length > 1) throw new Error(`${file}: lines ${lines.join(', ')} are marked // plant, and only one may be`);
  return { file, line: lines[0], function: functionAround(file, text, lines[0]) };
}

function functionAround(file: string, text: string, line: number): Plant['function'] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;
  let found: Plant['function'] = null;
  const visit = (node: ts.Node): void => {
    const [firstLine, lastLine] = [lineOf(node.getStart(source)), lineOf(node.getEnd())];
    if (line < firstLine || line > lastLine) return;
    const name = ts.isFunctionLike(node) ? nameOf(node, source) : undefined;
    if (name !== undefined) found = { name, firstLine, lastLine };
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function nameOf(node: ts.SignatureDeclaration, source: ts.SourceFile): string | undefined {
  if (ts.isConstructorDeclaration(node)) return node.parent.name?.getText(source);
  if (node.name) return node.name.getText(source);
  const { parent } = node;
  return ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent) ? parent.name.getText(source) : undefined;
}
