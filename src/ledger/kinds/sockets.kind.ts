import { Socket } from 'node:net';
import { endCounted } from '../counting/record-slot.js';
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
    const { state } = hooks;
    const open = (socket: object, target: unknown): void => {
      if ((socket as { encrypted?: boolean }).encrypted === true) tls.open(socket);
      else if (hasPath(target)) unix.open(socket);
      else tcp.open(socket);
    };
    hooks.wrap(Socket.prototype, 'connect', (original) => {
      return {
        hooked(this: unknown, target: unknown): unknown {
          // eslint-disable-next-line prefer-rest-params -- forwards without an array per connection
          const result = original.apply(this, arguments as unknown as unknown[]);
          state.pass('after connect', open, this as object, target);
          return result;
        },
      }.hooked;
    });
    hooks.wrap(Socket.prototype, '_destroy', (original) => {
      return {
        hooked(this: unknown): unknown {
          state.pass('before _destroy', endCounted, this as object);
          // eslint-disable-next-line prefer-rest-params -- as above
          return original.apply(this, arguments as unknown as unknown[]);
        },
      }.hooked;
    });
    // Comes from C++, never from a line of the application.
    hooks.channel('net.server.socket', ({ socket }) => {
      accepted.openUnder((socket as { server?: object }).server, socket);
    });
  },
};

/** `connect(path)`, `connect({ path })`, or the normalized arguments `net.connect` passes on. */
function hasPath(target: unknown): boolean {
  const first: unknown = Array.isArray(target) ? target[0] : target;
  if (typeof first === 'string') return !/^\d+$/.test(first);
  return typeof first === 'object' && first !== null && Boolean((first as { path?: unknown }).path);
}
