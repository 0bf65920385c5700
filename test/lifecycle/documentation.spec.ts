import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../..');

interface Promised {
  promise: string;
  file: string;
  title: string;
}

const page = readFileSync(join(root, 'docs/lifecycle.md'), 'utf8');

/** Rows `| promise | `file`: words of the title |` of the page. */
const promises: Promised[] = [...page.matchAll(/^\| (.+?) \| `([\w./-]+\.spec\.ts)`: (.+?) \|$/gm)].map(
  ([, promise, file, title]) => ({ promise, file, title }),
);

/** The titles of the tests in a file, as they are written: `it('title', () => …)`, `it.each(…)('title', …)`. */
function titlesOf(file: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^it/.test(node.expression.getText(source))) {
      const [title, body] = node.arguments;
      if (title && ts.isStringLiteralLike(title) && body && ts.isFunctionLike(body)) titles.push(title.text);
    }
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile(file, readFileSync(join(root, 'test', file), 'utf8'), ts.ScriptTarget.Latest);
  visit(source);
  return titles;
}

describe('docs/lifecycle.md', () => {
  it('names a test for every promise', () => {
    const rows = page.split('\n| What holds | Test |\n').slice(1);
    const rowsCount = rows.flatMap((table) => table.split('\n\n')[0].split('\n').slice(1)).filter(Boolean).length;
    expect(promises).toHaveLength(rowsCount);
    expect(promises.length).toBeGreaterThan(30);
  });

  it.each(promises)('$promise', ({ file, title }) => {
    expect(existsSync(join(root, 'test', file))).toBe(true);
    expect(titlesOf(file).filter((candidate) => candidate.includes(title))).not.toEqual([]);
  });
});
