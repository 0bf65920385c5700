import { Server } from 'node:net';
import type { KindHooks } from '../hooks/kind-hooks.js';
import type { Kind } from './kind.js';

/**
 * Listening servers: TCP, unix, TLS, HTTP, HTTPS and HTTP/2. Their class keeps its `emit`, which runs for each connection and each
 * request: what one emits is watched on itself, while it begins to listen and from `close` on.
 */
export const servers: Kind = {
  name: 'servers',
  install(hooks) {
    const counter = hooks.counter('server', { stackDepth: 48, nature: 'few', fds: 1 });
    hooks.after(Server.prototype, 'listen', (self) => {
      counter.open(self);
      onceEmitted(hooks, self, ['listening', 'error'], (event) => {
        if (event === 'error') counter.withdraw(self);
      });
    });
    hooks.before(Server.prototype, 'close', (self) => {
      // Without a handle it was closed before, or does not listen yet: a 'close' that it emits then ends nothing.
      if ((self as { _handle?: unknown })._handle) onceEmitted(hooks, self, ['close'], () => counter.close(self));
    });
  },
};

/** Calls `then` when `server` emits the first of these events. */
function onceEmitted(
  hooks: KindHooks,
  server: object,
  events: readonly unknown[],
  then: (event: unknown) => void,
): void {
  let isDone = false;
  const restore = hooks.wrapOn(server, 'emit', (original) => {
    return {
      hooked(this: unknown, event: unknown): unknown {
        // Somebody may have wrapped it since, so that it cannot be taken away.
        if (!isDone && events.includes(event)) {
          isDone = true;
          hooks.state.run('emit of a server', () => {
            restore();
            then(event);
          });
        }
        // eslint-disable-next-line prefer-rest-params -- forwards without an array per request
        return original.apply(this, arguments as unknown as unknown[]);
      },
    }.hooked;
  });
}
