import { basename, relative } from 'node:path';

/** The program and its main file. Arguments may hold passwords, so they are counted, not shown. */
export function shownCommandLine(argv: readonly string[] = process.argv): string[] {
  const [program, main, ...rest] = argv;
  return [
    basename(program ?? 'node'),
    ...(main === undefined ? [] : [relative(process.cwd(), main)]),
    ...(rest.length > 0 ? [`(${rest.length} not shown)`] : []),
  ];
}
