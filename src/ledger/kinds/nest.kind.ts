import { createRequire } from 'node:module';
import type { KindHooks } from '../hooks/kind-hooks.js';
import type { Kind } from './kind.js';

/** Nest's ClientProxy in every transport, as `nest.ClientTCP` and so on; and the name of the provider Nest is building. */
export const nest: Kind = {
  name: 'nest',
  install(hooks) {
    installClients(hooks);
    installInjector(hooks);
  },
};

/** Classes that begin a client in a way of their own, the base class of all others first. */
const TRANSPORTS = [
  'ClientProxy',
  'ClientTCP',
  'ClientRedis',
  'ClientNats',
  'ClientMqtt',
  'ClientRMQ',
  'ClientKafka',
  'ClientGrpcProxy',
];

/** Sockets and clients a proxy keeps, by the fields its transports use. */
function ownedBy(self: object): Iterable<object | undefined> {
  const proxy = self as {
    socket?: { netSocket?: object; socket?: object } | null;
    pubClient?: object;
    subClient?: object;
  };
  return [proxy.socket?.netSocket ?? proxy.socket?.socket, proxy.pubClient, proxy.subClient];
}

function installClients(hooks: KindHooks): void {
  const hooked = new WeakSet<object>();
  const open = (self: object): void => {
    const counter = hooks.counter(`nest.${self.constructor.name || 'ClientProxy'}`, { owned: ownedBy, nature: 'few' });
    counter.open(self);
    hooks.endsOnCall(self, ['close']);
  };
  hooks.library('@nestjs/microservices', ({ exports }) => {
    for (const name of TRANSPORTS) {
      const prototype = (exports[name] as { prototype?: object } | undefined)?.prototype;
      if (!prototype || hooked.has(prototype)) continue;
      hooked.add(prototype);
      // The first method that the constructor of a transport calls, and the only one of a gRPC client. Some override it.
      if (Object.hasOwn(prototype, 'initializeSerializer')) hooks.before(prototype, 'initializeSerializer', open);
      if (Object.hasOwn(prototype, 'createClients')) hooks.after(prototype, 'createClients', open);
      if (name !== 'ClientProxy') continue;
      // One that was closed connects again with its next message.
      hooks.before(prototype, 'send', open);
      hooks.before(prototype, 'emit', open);
    }
  });
}

interface InstanceWrapper {
  /** What it is injected by: a class, a string or a symbol. */
  readonly token?: unknown;
  readonly host?: { readonly metatype?: { readonly name?: string } };
}

/** Nest 12 is one ES module to `require`, on Node 20 without a word of the files behind its index: the injector is one of them. */
function injectorBeside(filename: string): unknown {
  if (!/[\\/]core[\\/]index\.js$/.test(filename)) return undefined;
  try {
    // Loaded already; by its path, because no index exports it.
    return (createRequire(filename)('./injector/injector.js') as { Injector?: unknown }).Injector;
  } catch {
    return undefined;
  }
}

function installInjector(hooks: KindHooks): void {
  const { stacks } = hooks.core;
  const { state } = hooks;
  const hooked = new WeakSet<object>();
  let isFound = false;
  hooks.library('@nestjs/core', ({ filename, exports }) => {
    const Injector = exports.Injector ?? (isFound ? undefined : injectorBeside(filename));
    const prototype = (Injector as { prototype?: object } | undefined)?.prototype;
    if (!prototype || hooked.has(prototype)) return;
    isFound = true;
    hooked.add(prototype);
    hooks.wrap(prototype, 'instantiateClass', (original) => {
      return {
        hooked(this: unknown, ...args: unknown[]): unknown {
          const outer = stacks.currentProvider;
          state.run('instantiateClass', () => {
            const { token, host } = args[1] as InstanceWrapper;
            const provider = typeof token === 'function' ? token.name : String(token);
            stacks.currentProvider = host?.metatype?.name ? `${provider} in ${host.metatype.name}` : provider;
          });
          try {
            // Async, but constructors and factories run before its first await.
            return Reflect.apply(original, this, args);
          } finally {
            stacks.currentProvider = outer;
          }
        },
      }.hooked;
    });
  });
}
