import type { Kind } from './kind.js';

// The object applications get, not a copy of it.
const fs = process.getBuiltinModule('node:fs');

/** `fs.watch`, `fs.watchFile` and `fs.promises.watch`. */
export const watchers: Kind = {
  name: 'watchers',
  install(hooks) {
    const watcher = hooks.counter('fs.watch', { nature: 'few' });
    hooks.after(fs, 'watch', (_self, _args, result) => {
      watcher.open(result as object);
      hooks.endsOnCall(result as object, ['close']);
    });
    const statWatcher = hooks.counter('fs.watchFile', { nature: 'few' });
    hooks.after(fs, 'watchFile', (_self, _args, result) => {
      statWatcher.open(result as object);
      hooks.endsOnCall(result as object, ['stop']);
    });
    hooks.after(fs.promises, 'watch', (_self, _args, iterator) => {
      watcher.open(iterator as object);
      hooks.endsWithIterator(iterator as object);
    });
  },
};
