import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { announcing, type LoadedSource } from './announce-module.js';

const Module = process.getBuiltinModule('node:module');

type NextLoad = (url: string, context: object) => LoadedSource;

interface HookingModule {
  registerHooks?(hooks: { load: (url: string, context: object, nextLoad: NextLoad) => LoadedSource }): unknown;
  register?(specifier: string, options: { parentURL: string; data: unknown }): void;
}

/**
 * Lets the wanted packages announce themselves where they are ES modules: those never pass through the CommonJS loader.
 * Done by the preload only; in the thread of the application where Node can (22.15), in a thread of its own before that,
 * and then only for an application that is itself made of ES modules.
 */
export function watchEsModules(packageNames: readonly string[]): void {
  const module = Module as unknown as HookingModule;
  try {
    if (module.registerHooks) {
      module.registerHooks({ load: (url, context, nextLoad) => announcing(url, nextLoad(url, context), packageNames) });
    } else if (module.register && isEsModule(process.argv[1])) {
      module.register('./es-module-hooks.js', { parentURL: pathToFileURL(__filename).href, data: { packageNames } });
    }
  } catch {
    // Without it ES-only libraries are named by the sockets they open.
  }
}

function isEsModule(main: string | undefined): boolean {
  if (!main) return false;
  if (/\.mjs$|\.mts$/.test(main)) return true;
  if (/\.cjs$|\.cts$/.test(main)) return false;
  for (let directory = dirname(main); ;) {
    const manifest = join(directory, 'package.json');
    if (existsSync(manifest)) {
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string }).type === 'module';
    }
    const parent = dirname(directory);
    if (parent === directory) return false;
    directory = parent;
  }
}
