import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';

/**
 * The file Node runs for a scenario: itself, or what the compiler makes of it, with its source map, as a build would.
 * @param checkout where compiled files go, and packages are found from
 */
export function runnable(file: string, checkout: string): string {
  if (!file.endsWith('.ts')) return file;
  const { outputText, sourceMapText } = ts.transpileModule(readFileSync(file, 'utf8'), {
    fileName: file,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      esModuleInterop: true,
      sourceMap: true,
      // Comments of several lines and types go, so that lines differ.
      removeComments: true,
      sourceRoot: dirname(file),
    },
  });
  const directory = join(checkout, '.cache/leaklab');
  mkdirSync(directory, { recursive: true });
  const compiled = join(directory, basename(file).replace(/\.ts$/, '.js'));
  writeFileSync(compiled, outputText);
  writeFileSync(`${compiled}.map`, sourceMapText ?? '');
  return compiled;
}
