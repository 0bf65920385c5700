import type { Kind } from './kind.js';

/** pg: clients by the line that connects them, pools by the line that makes them. */
export const pg: Kind = {
  name: 'pg',
  install(hooks) {
    const client = hooks.counter('pg.client', {
      owned: (self) => [(self as { connection?: { stream?: object } }).connection?.stream],
    });
    hooks.library('pg', ({ filename, exports }) => {
      if (!/[\\/]lib[\\/]client\.js$/.test(filename) || typeof exports !== 'function') return;
      const { prototype } = exports as { prototype: object };
      hooks.after(prototype, 'connect', (self) => client.open(self));
      hooks.onEmit(prototype, 'end', (self) => client.close(self));
    });
    const pool = hooks.counter('pg.pool', { nature: 'few' });
    hooks.library('pg-pool', ({ filename, exports, replaceExports }) => {
      if (!/[\\/]index\.js$/.test(filename) || typeof exports !== 'function') return;
      replaceExports(
        hooks.countedClass(exports as object, (self) => {
          pool.open(self);
          hooks.endsOnCall(self, ['end']);
        }),
      );
    });
  },
};
