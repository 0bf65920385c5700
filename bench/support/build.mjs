import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { textFlag } from './flags.mjs';

/** The build that is measured: a directory, `dist` unless the benchmark was called with `--build=`. */
export const buildDirectory = resolve(textFlag('build', 'dist'));

/** Loads CommonJS packages. */
export const require = createRequire(import.meta.url);

/** A module of the build, as `transport/commander-server.js`. @param {string} path */
export function built(path) {
  return require(join(buildDirectory, path));
}
