import type { Kind } from './kind.js';

// The object applications get, not a copy of it.
const fs = process.getBuiltinModule('node:fs');

/** File handles of `fs.promises.open`, and the descriptors behind file streams. */
export const files: Kind = {
  name: 'files',
  install(hooks) {
    const handle = hooks.counter('fs.FileHandle', { fds: 1 });
    hooks.around(
      fs.promises,
      'open',
      // Before the await: afterwards the caller is gone from the stack.
      () => handle.prepare(),
      // A promise of our own, so that a rejection nobody handles still counts as unhandled.
      (site, opening) =>
        (opening as Promise<object>).then((opened) => {
          hooks.state.run('open', () => {
            handle.openWith(site, opened);
            hooks.onEmit(Object.getPrototypeOf(opened) as object, 'close', (self) => handle.close(self));
          });
          return opened;
        }),
    );
    for (const [factory, kind] of [
      ['createReadStream', 'fs.ReadStream'],
      ['createWriteStream', 'fs.WriteStream'],
    ] as const) {
      const counter = hooks.counter(kind, { fds: 1 });
      hooks.after(fs, factory, (_self, _args, stream) => {
        counter.open(stream as object);
        hooks.endsOnCall(stream as object, ['_destroy']);
      });
    }
  },
};
