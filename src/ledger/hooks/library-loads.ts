import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HookState } from './hook-state.js';
import { dressAs, type Patches } from './patches.js';

const Module = process.getBuiltinModule('node:module');

/** One module file of a library, evaluated. */
export interface LoadedModule {
  readonly filename: string;
  /** What it exports. An ES module's namespace cannot be changed, its classes can. */
  readonly exports: Record<string, unknown>;
  /** Exports something else in its place; not possible for ES modules. */
  replaceExports(exports: unknown): void;
}

type Apply = (loaded: LoadedModule) => void;

export interface CommonJsModule {
  exports: unknown;
}

const IN_MODULES = `${sep}node_modules${sep}`;

/** Sees every CommonJS module file once, as it is loaded (also when an ES module imports it), and ES modules by `seen`. */
export class LibraryLoads {
  private readonly wanted = new Map<string, Apply[]>();
  private readonly namesByDirectory = new Map<string, string | null>();

  constructor(
    private readonly state: HookState,
    private readonly patches: Patches,
  ) {}

  add(packageName: string, apply: Apply): void {
    this.wanted.set(packageName, [...(this.wanted.get(packageName) ?? []), apply]);
  }

  /** Hooks loading, and catches up on what is loaded already. */
  start(): void {
    const { state } = this;
    const prototype = Module.prototype as unknown as { load?: (filename: string) => void };
    const original = prototype.load;
    if (typeof original === 'function') {
      // eslint-disable-next-line @typescript-eslint/no-this-alias -- the wrapper has a receiver of its own
      const loads = this;
      const load = function (this: CommonJsModule, filename: string): void {
        Reflect.apply(original, this, [filename]);
        state.run('load', () => loads.loaded(filename, this));
      };
      this.patches.replace(prototype, 'load', dressAs(load, original));
    }
    const cache = (Module as unknown as { _cache?: Record<string, CommonJsModule | undefined> })._cache ?? {};
    for (const filename of Object.keys(cache)) {
      const module = cache[filename];
      if (module) state.run('load', () => this.loaded(filename, module));
    }
  }

  /** An ES module of a library was evaluated. */
  seen(url: string, namespace: Record<string, unknown>): void {
    const filename = fileURLToPath(url);
    const wanted = this.wanted.get(this.packageNameOf(filename) ?? '');
    for (const apply of wanted ?? []) apply({ filename, exports: namespace, replaceExports: () => undefined });
  }

  /** Directories of the wanted packages cannot be known before they are resolved, their names can. */
  get packageNames(): string[] {
    return [...this.wanted.keys()];
  }

  /** A CommonJS module file was evaluated, by Node or by a loader of its own kind (jest). */
  loaded(filename: string, module: CommonJsModule): void {
    if (!filename.includes(IN_MODULES)) return;
    const wanted = this.wanted.get(this.packageNameOf(filename) ?? '');
    if (!wanted) return;
    for (const apply of wanted) {
      const { exports } = module;
      if (exports === null || (typeof exports !== 'object' && typeof exports !== 'function')) return;
      apply({
        filename,
        exports: exports as Record<string, unknown>,
        replaceExports: (replacement) => {
          this.patches.replace(module, 'exports', replacement);
        },
      });
    }
  }

  /** The name in package.json, not that of the directory: an alias keeps its directory to itself. */
  private packageNameOf(filename: string): string | null {
    const start = filename.lastIndexOf(IN_MODULES) + IN_MODULES.length;
    const scoped = filename[start] === '@' ? filename.indexOf(sep, start) + 1 : start;
    const end = filename.indexOf(sep, scoped);
    if (end < 0) return null;
    const directory = filename.slice(0, end);
    let name = this.namesByDirectory.get(directory);
    if (name === undefined) {
      name = readName(`${directory}${sep}package.json`) ?? filename.slice(start, end);
      this.namesByDirectory.set(directory, name);
    }
    return name;
  }
}

/** Reads as little as it can: it runs once for every package an application loads. */
function readName(manifest: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(manifest, 'r');
  } catch {
    return null;
  }
  try {
    const head = Buffer.allocUnsafe(256);
    const text = head.toString('utf8', 0, readSync(descriptor, head, 0, head.length, 0));
    const name = /^\s*\{\s*"name"\s*:\s*"([^"]+)"/.exec(text)?.[1];
    return name ?? (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name ?? null;
  } catch {
    return null;
  } finally {
    closeSync(descriptor);
  }
}
