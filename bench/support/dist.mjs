import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

export const require = createRequire(import.meta.url);
const distDirectory = process.env.COMMANDER_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url));

/** A module of the built product, as `transport/commander-server.js`. @param {string} path */
export function built(path) {
  return require(join(distDirectory, path));
}
