const Module = process.getBuiltinModule('node:module');

interface Runtime {
  requireModule(from: string, name?: string, ...rest: unknown[]): unknown;
}

/**
 * Calls `loaded` after a test file, or what it loads, has required one of `packages` by name. jest loads modules by itself;
 * the method is the public one through which every `require` of a sandbox goes. Where there is none, modules are found
 * before the next hook or test instead.
 * @returns undoes it
 */
export function hearRequires(packages: ReadonlySet<string>, loaded: () => void): () => void {
  const prototype = runtimePrototype();
  const original = prototype?.requireModule;
  if (!prototype || typeof original !== 'function') return () => undefined;
  const requireModule: Runtime['requireModule'] = function (this: Runtime, from, name, ...rest) {
    const exports = Reflect.apply(original, this, [from, name, ...rest]);
    if (name !== undefined && packages.has(packageOf(name))) loaded();
    return exports;
  };
  prototype.requireModule = requireModule;
  return () => {
    if (prototype.requireModule === requireModule) prototype.requireModule = original;
  };
}

function runtimePrototype(): Runtime | undefined {
  const cache = (Module as unknown as { _cache?: Record<string, { exports: unknown } | undefined> })._cache ?? {};
  const file = Object.keys(cache).find((filename) => /[\\/]jest-runtime[\\/]build[\\/]index\.js$/.test(filename));
  const exports = file === undefined ? undefined : (cache[file]?.exports as { default?: { prototype?: Runtime } });
  return exports?.default?.prototype;
}

/** `@redis/client/dist/lib` → `@redis/client` */
function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
