import type { Kind } from './kind.js';

/** UDP sockets, from their creation, bound or not. */
export const udp: Kind = {
  name: 'udp',
  install(hooks) {
    const counter = hooks.counter('socket.udp', { fds: 1 });
    hooks.channel('udp.socket', ({ socket }) => {
      counter.open(socket);
      hooks.endsOnCall(socket, ['close']);
    });
  },
};
