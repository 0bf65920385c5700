import type { Kind } from './kind.js';

const DISPATCHERS = [
  'Client',
  'H2CClient',
  'Pool',
  'BalancedPool',
  'RoundRobinPool',
  'Agent',
  'ProxyAgent',
  'Socks5ProxyAgent',
  'RetryAgent',
  'EnvHttpProxyAgent',
];

/** undici (the package): pools, clients and agents an application makes. `fetch` shows by its sockets. */
export const undici: Kind = {
  name: 'undici',
  install(hooks) {
    hooks.library('undici', ({ filename, exports }) => {
      if (!/undici[^\\/]*[\\/]index\.js$/.test(filename)) return;
      for (const name of DISPATCHERS) {
        if (typeof exports[name] !== 'function') continue;
        const counter = hooks.counter(`undici.${name}`, { endsByCollection: true, lingers: true, nature: 'few' });
        hooks.constructs(exports, name, (self) => {
          counter.open(self);
          hooks.endsOnCall(self, ['close', 'destroy']);
        });
      }
    });
  },
};
