import type { KindHooks } from '../hooks/kind-hooks.js';
import type { Kind } from './kind.js';

type RedisClass = Record<string, unknown> & { prototype: Record<string, unknown> };

/** node-redis: clients, pools, clusters and sentinels, by the line of their `create…`. */
export const nodeRedis: Kind = {
  name: 'node-redis',
  install(hooks) {
    const client = hooks.counter('node-redis.client', { nature: 'few' });
    const hooked = new WeakSet<object>();
    hooks.library('@redis/client', ({ filename, exports }) => {
      for (const [kind, file, name] of FACTORIES) {
        const made = exports[name] as RedisClass | undefined;
        if (!file.test(filename) || typeof made?.create !== 'function' || hooked.has(made)) continue;
        hooked.add(made);
        if (kind === 'node-redis.client') installClient(hooks, client, made);
        else {
          const counter = hooks.counter(kind, { nature: 'few' });
          hooks.after(made, 'create', (_self, _args, proxy) => {
            const self = behind(proxy as object);
            counter.open(self);
            hooks.endsOnCall(self, ['close', 'destroy', 'disconnect', 'quit'], behind);
          });
        }
      }
    });
  },
};

const FACTORIES = [
  ['node-redis.client', /[\\/]client[\\/]index\.js$/, 'default'],
  ['node-redis.pool', /[\\/]client[\\/]pool\.js$/, 'RedisClientPool'],
  ['node-redis.cluster', /[\\/]cluster[\\/]index\.js$/, 'default'],
  ['node-redis.sentinel', /[\\/]sentinel[\\/]index\.js$/, 'default'],
] as const;

function installClient(hooks: KindHooks, counter: ReturnType<KindHooks['counter']>, made: RedisClass): void {
  hooks.after(made, 'create', (_self, _args, proxy) => counter.open(behind(proxy as object)));
  hooks.after(made.prototype, 'duplicate', (_self, _args, copy) => counter.open(behind(copy as object)));
  // A client that was closed may be connected again.
  hooks.before(made.prototype, 'connect', (self) => counter.open(behind(self)));
  hooks.onEmit(made.prototype, 'end', (self) => counter.close(behind(self)));
}

/** What an application holds is a view (`Object.create`) of the client. */
function behind(proxy: object): object {
  return (proxy as { _self?: object })._self ?? proxy;
}
