import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest directory with a package.json above the main script; without one, the working directory. */
export function projectRoot(): string {
  const main = process.argv[1];
  const start = main ? dirname(main) : process.cwd();
  for (let directory = start; ;) {
    if (existsSync(join(directory, 'package.json'))) return directory;
    const parent = dirname(directory);
    if (parent === directory) return process.cwd();
    directory = parent;
  }
}
