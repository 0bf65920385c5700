import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** V8's own `gc`, without the flag on the command line. */
export type ForceGc = (options?: { type: 'minor' | 'major' }) => void;

/** Makes `gc` available: `gc()` is a full collection, `gc({ type: 'minor' })` one of the young generation. */
export function forceGc(): ForceGc {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as ForceGc;
  setFlagsFromString('--no-expose-gc');
  return gc;
}
