import type { Server } from 'node:net';
import { isLoopbackAddress } from './loopback.js';
import { WideBindError } from './wide-bind.error.js';

/**
 * Lets `server` listen on loopback (or on a unix socket) only. Where it will listen is known no sooner than when it does,
 * whatever was asked for: it is closed in the same turn of the loop then, before it could accept anybody, and emits the
 * error for which whoever called `listen` waits.
 * @throws WideBindError when it listens wide already
 */
export function refuseWideListening(server: Server): void {
  const check = (): WideBindError | undefined => {
    const bound = server.address();
    return typeof bound !== 'object' || bound === null || isLoopbackAddress(bound.address)
      ? undefined
      : new WideBindError(bound.address);
  };
  const already = check();
  if (already) throw already;
  server.prependListener('listening', () => {
    const error = check();
    if (!error) return;
    // Once the other listeners, which look for its address, have run; and even if nobody takes the error.
    process.nextTick(() => server.close());
    server.emit('error', error);
  });
}
