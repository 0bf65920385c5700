import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { Failure } from './failure.mjs';

/** Taken from the application, so that both sides mean the same classes. Which of them it has is its business. */
const PEERS = ['@nestjs/common', '@nestjs/core', '@nestjs/microservices'];
const PEER_RANGE = '^11.0.0 || ^12.0.0';

/** Native, and not to be had everywhere: what needs it says that it is missing. */
const OPTIONAL = ['@datadog/pprof'];

/** Fields that the package has in common with the checkout. */
const SHARED = ['name', 'version', 'description', 'license', 'type', 'engines', 'bin', 'exports'];

/**
 * The manifest of the package for other applications: entries and version of the checkout, and of its dependencies those
 * that the files of the package name.
 * @param {Record<string, any>} checkout the manifest of the checkout
 * @param {string} directory the files of the package
 * @throws Failure when a file names a package that the checkout does not depend on, or a file that is not in the package,
 *   and when an entry leads to a file that is not in it
 */
export function packageManifest(checkout, directory) {
  for (const [entry, file] of entryFiles(checkout))
    if (!existsSync(join(directory, file)))
      throw new Failure(`${entry} of the package leads to ${file}, which is not in it`);
  const used = [...usedPackages(directory)].filter((name) => name !== checkout.name).sort();
  const dependencies = {};
  const optionalDependencies = {};
  for (const name of used) {
    if (PEERS.includes(name)) continue;
    const range = checkout.dependencies[name];
    if (range === undefined) throw new Failure(`the package needs ${name}, which is no dependency in package.json`);
    (OPTIONAL.includes(name) ? optionalDependencies : dependencies)[name] = range;
  }
  // The compiled decorators and helpers need it, whoever names it.
  dependencies.tslib ??= checkout.dependencies.tslib;
  const peers = PEERS.filter((name) => used.includes(name));
  return {
    ...Object.fromEntries(SHARED.map((field) => [field, checkout[field]])),
    dependencies,
    optionalDependencies,
    peerDependencies: Object.fromEntries(peers.map((name) => [name, PEER_RANGE])),
    peerDependenciesMeta: Object.fromEntries(peers.map((name) => [name, { optional: true }])),
  };
}

/** Files that `exports` and `bin` lead to, each with the name of its entry. The manifest itself is written last. */
function entryFiles({ exports, bin }) {
  const entries = [...Object.entries(exports), ...Object.entries(bin)].filter(
    ([, target]) => target !== './package.json',
  );
  return entries.flatMap(([entry, target]) =>
    (typeof target === 'string' ? [target] : Object.values(target)).map((file) => [entry, file]),
  );
}

function usedPackages(directory) {
  const used = new Set();
  for (const entry of readdirSync(directory, { recursive: true })) {
    if (!/\.js$/.test(entry)) continue;
    const file = join(directory, entry);
    // The compiler writes every import in one of these two ways.
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/\b(?:require|import)\(["']([^"'\n]+)["']\)/g)) {
      if (specifier.startsWith('.')) {
        if (!existsSync(join(dirname(file), specifier)))
          throw new Failure(`${relative(directory, file)} of the package needs ${specifier}, which is not in it`);
      } else if (!isBuiltin(specifier)) used.add(nameOf(specifier));
    }
  }
  return used;
}

function nameOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
