import type { Socket } from 'node:dgram';
import type { Kind } from './kind.js';

/** UDP sockets, from their creation, bound or not. */
export const udp: Kind = {
  name: 'udp',
  install(hooks) {
    const counter = hooks.counter('socket.udp', { fds: 1 });
    hooks.channel('udp.socket', ({ socket }) => {
      if (!isOpen(socket)) return;
      counter.open(socket);
      hooks.endsOnCall(socket, ['close']);
    });
  },
};

/** One whose signal had aborted before is closed when it is announced. Of all that asks for the descriptor only this needs no binding. */
function isOpen(socket: object): boolean {
  try {
    (socket as Socket).getSendQueueCount();
    return true;
  } catch {
    return false;
  }
}
