import type { KindHooks } from '../hooks/kind-hooks.js';
import type { Kind } from './kind.js';

/** Bytes between two captures, on average. */
const MEAN_BYTES = 512 * 1024;

/** Buffers by the bytes they hold: sampled so that every byte has the same chance, whatever the size of its Buffer. */
export const buffers: Kind = {
  name: 'buffers',
  install(hooks) {
    for (const factory of ['alloc', 'allocUnsafe', 'allocUnsafeSlow', 'from', 'concat']) installOn(hooks, factory);
  },
};

function installOn(hooks: KindHooks, factory: string): void {
  const counter = hooks.counter('buffer', { estimated: true, endsByCollection: true });
  const { state } = hooks;
  let bytesLeft = gap();
  const capture = (buffer: Buffer): void => {
    bytesLeft = gap();
    state.run('buffer', () => {
      const share = 1 - Math.exp(-buffer.length / MEAN_BYTES);
      counter.openEstimated(buffer, 1 / share, buffer.length / share);
    });
  };
  hooks.wrap(Buffer, factory, (original) => {
    return function (this: unknown, source?: unknown, second?: unknown, third?: unknown): unknown {
      const buffer = original.call(this, source, second, third) as Buffer;
      counter.created++;
      bytesLeft -= buffer.length;
      if (bytesLeft < 0) capture(buffer);
      return buffer;
    };
  });
}

/** Exponential, so that where the next one falls does not depend on where the last one fell. */
function gap(): number {
  return Math.ceil(-Math.log(1 - Math.random()) * MEAN_BYTES);
}
