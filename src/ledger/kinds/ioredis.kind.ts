import { recordOf } from '../counting/record-slot.js';
import type { KindHooks } from '../hooks/kind-hooks.js';
import type { Kind } from './kind.js';

interface Client {
  status: string;
  stream?: object | null;
  reconnectTimeout?: unknown;
  nodes?(role: 'all'): object[];
}

/** ioredis 5 and 6: clients and clusters, however made (`new`, lazily, `duplicate()`, by a module). */
export const ioredis: Kind = {
  name: 'ioredis',
  install(hooks) {
    const client = hooks.counter('ioredis.client', {
      owned: (self) => [(self as Client).stream],
      nature: 'few',
    });
    const cluster = hooks.counter('ioredis.cluster', {
      owned: (self) => (self as Client).nodes?.('all') ?? [],
      nature: 'few',
    });
    const hooked = new WeakSet<object>();
    hooks.library('ioredis', ({ exports }) => {
      const prototype = (exports.default as { prototype?: Record<string, unknown> } | undefined)?.prototype;
      if (typeof prototype?.setStatus !== 'function' || hooked.has(prototype)) return;
      hooked.add(prototype);
      const counter = typeof prototype.nodes === 'function' ? cluster : client;
      // The constructor sets the first status itself, in every mode; whoever called it is still on the stack.
      hooks.before(prototype, 'setStatus', (self, [status]) => {
        if (status === 'wait' || status === 'connecting') counter.open(self);
        else if (status === 'end') counter.close(self);
        else adoptStream(self);
      });
      hooks.after(prototype, 'disconnect', (self, [reconnect]) => {
        // Called while it waits to reconnect, it stops for good without ever reporting 'end'.
        const { status, reconnectTimeout } = self as Client;
        if (reconnect !== true && status === 'reconnecting' && !reconnectTimeout) counter.close(self);
      });
    });
    adoptNodes(hooks);
  },
};

/** The socket was opened after an async hop, with nothing of the application on the stack. */
function adoptStream(self: object): void {
  const { stream } = self as Client;
  if (stream) recordOf(stream)?.counter?.adopt(self, stream);
}

/** A cluster makes its clients by itself, at any time, and announces each. */
function adoptNodes(hooks: KindHooks): void {
  const hooked = new WeakSet<object>();
  hooks.library('ioredis', ({ exports }) => {
    const prototype = (exports.default as { prototype?: Record<string, unknown> } | undefined)?.prototype;
    if (typeof prototype?.nodes !== 'function' || typeof prototype.setStatus !== 'function' || hooked.has(prototype))
      return;
    hooked.add(prototype);
    hooks.onEmit(prototype, '+node', (self) => {
      for (const node of (self as Client).nodes?.('all') ?? []) recordOf(node)?.counter?.adopt(self, node);
    });
  });
}
