import { Socket } from 'node:net';
import { recordOf } from '../counting/record-slot.js';
import type { Kind } from './kind.js';

/** Through `fetch` the application is 33 frames up, through an HTTP client library more. */
const STACK_DEPTH = 48;

/** TCP, TLS and unix client sockets, and the sockets a server accepted (grouped under the line of its `listen`). */
export const sockets: Kind = {
  name: 'sockets',
  install(hooks) {
    const options = { stackDepth: STACK_DEPTH, fds: 1 };
    const tcp = hooks.counter('socket.client', options);
    const tls = hooks.counter('socket.tls', options);
    const unix = hooks.counter('socket.unix', options);
    const accepted = hooks.counter('socket.server', { nature: 'inbound', fds: 1 });

    // One place for all: TLS sockets inherit it, http, undici, pg, mysql2 and ClientTCP end in it.
    hooks.after(Socket.prototype, 'connect', (self, args) => {
      if ((self as { encrypted?: boolean }).encrypted === true) tls.open(self);
      else if (hasPath(args)) unix.open(self);
      else tcp.open(self);
    });
    hooks.before(Socket.prototype, '_destroy', (self) => recordOf(self)?.counter?.close(self));
    // Comes from C++, never from a line of the application.
    hooks.channel('net.server.socket', ({ socket }) => {
      accepted.openUnder((socket as { server?: object }).server, socket);
    });
  },
};

/** `connect(path)`, `connect({ path })`, or the normalized arguments `net.connect` passes on. */
function hasPath(args: readonly unknown[]): boolean {
  const first: unknown = Array.isArray(args[0]) ? (args[0] as unknown[])[0] : args[0];
  if (typeof first === 'string') return !/^\d+$/.test(first);
  return typeof first === 'object' && first !== null && Boolean((first as { path?: unknown }).path);
}
