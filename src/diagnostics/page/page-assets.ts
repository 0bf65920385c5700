import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** Written by the build; absent when the sources run without one. */
const DIRECTORY = join(__dirname, 'assets');

const typeOf: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

export interface PageAsset {
  type: string;
  body: Buffer;
}

/** The files of the page, read when somebody first looks: a process that nobody looks at holds none of them. */
export class PageAssets {
  private files: ReadonlyMap<string, PageAsset> | undefined;

  /** Undefined when there is no such file: the names are those of the build, a path leads nowhere. */
  file(name: string): PageAsset | undefined {
    this.files ??= read();
    return this.files.get(name);
  }
}

function read(): Map<string, PageAsset> {
  const files = new Map<string, PageAsset>();
  if (!existsSync(DIRECTORY)) return files;
  for (const name of readdirSync(DIRECTORY)) {
    const type = typeOf[extname(name)];
    if (type !== undefined) files.set(name, { type, body: readFileSync(join(DIRECTORY, name)) });
  }
  return files;
}
