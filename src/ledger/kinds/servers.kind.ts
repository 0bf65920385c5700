import { Server } from 'node:net';
import type { Kind } from './kind.js';

/** Listening servers: TCP, unix, TLS, HTTP, HTTPS and HTTP/2. */
export const servers: Kind = {
  name: 'servers',
  install(hooks) {
    const counter = hooks.counter('server', { stackDepth: 48, nature: 'few', fds: 1 });
    hooks.after(Server.prototype, 'listen', (self) => counter.open(self));
    hooks.onEmit(Server.prototype, 'close', (self) => counter.close(self));
    hooks.onEmit(Server.prototype, 'error', (self) => {
      if (!(self as Server).listening) counter.withdraw(self);
    });
  },
};
