// Public entry `mu-commander/register`, for `node --require` and `--import`: counts from before the first line of the
// application, and serves what was counted where the environment names a port.
import '../ledger/register.js';
import { isMainThread } from 'node:worker_threads';
import type { serveByEnvironment } from './standalone/serve-by-environment.js';

const PLACE = Symbol.for('mu-commander.register');
const place = globalThis as unknown as Record<symbol, boolean | undefined>;

// Preloaded twice (by command line and NODE_OPTIONS) the first serves. Workers inherit the preload, but not the port.
if (process.env.MU_DIAGNOSTICS_PORT && isMainThread && !place[PLACE]) {
  place[PLACE] = true;
  // Only where it is wanted: an application that is merely counted need not load it.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- before the application, and so not asynchronously
  const served = require('./standalone/serve-by-environment.js') as { serveByEnvironment: typeof serveByEnvironment };
  void served.serveByEnvironment(process.env);
}
