import type { Kind } from './kind.js';

/** mysql2: connections, pools and pool clusters, of the callback and of the promise interface. */
export const mysql2: Kind = {
  name: 'mysql2',
  install(hooks) {
    const connection = hooks.counter('mysql2.connection', { owned: (self) => [(self as { stream?: object }).stream] });
    hooks.library('mysql2', ({ filename, exports, replaceExports }) => {
      if (typeof exports !== 'function') return;
      if (/[\\/]base[\\/]connection\.js$/.test(filename)) {
        const { prototype } = exports as { prototype: object };
        // The constructor queues the handshake before it returns.
        hooks.before(prototype, 'addCommand', (self, [command]) => {
          if ((command as object).constructor.name !== 'ClientHandshake') return;
          connection.open(self);
          hooks.endsOnCall(self, ['close', 'destroy', 'end', '_handleFatalError']);
        });
        hooks.onEmit(prototype, 'end', (self) => connection.close(self));
      }
      const pool = /[\\/]lib[\\/](pool|pool_cluster)\.js$/.exec(filename);
      if (!pool) return;
      const counter = hooks.counter(pool[1] === 'pool' ? 'mysql2.pool' : 'mysql2.poolCluster', { nature: 'few' });
      replaceExports(
        hooks.countedClass(exports as object, (self) => {
          counter.open(self);
          hooks.endsOnCall(self, ['end']);
        }),
      );
    });
  },
};
