import type { Kind } from './kind.js';

/** gRPC channels. Their sockets are shared between channels of one target, so they keep a group of their own. */
export const grpc: Kind = {
  name: 'grpc',
  install(hooks) {
    const counter = hooks.counter('grpc.channel', { nature: 'few' });
    hooks.library('@grpc/grpc-js', ({ filename, exports }) => {
      if (!/[\\/]src[\\/]channel\.js$/.test(filename)) return;
      hooks.constructs(exports, 'ChannelImplementation', (self) => {
        counter.open(self);
        hooks.endsOnCall(self, ['close']);
      });
    });
  },
};
