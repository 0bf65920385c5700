import type { KindHooks } from '../hooks/kind-hooks.js';
import { dressAs } from '../hooks/patches.js';
import type { Kind } from './kind.js';

/** Bytes between two captures, on average, while bytes are allocated slowly. */
const MEAN_BYTES = 512 * 1024;
/** Beyond so many captures the mean is doubled, until the next second. */
const CAPTURES_PER_SECOND = 20;

/** Buffers and ArrayBuffers by the bytes they hold: sampled so that every byte has the same chance, whatever its Buffer's size. */
export const buffers: Kind = {
  name: 'buffers',
  install(hooks) {
    installBuffers(hooks);
    installArrayBuffers(hooks);
  },
};

function installBuffers(hooks: KindHooks): void {
  const { counter, sampling, capture } = byteCounting(hooks, 'buffer');
  for (const factory of ['alloc', 'allocUnsafe', 'allocUnsafeSlow', 'from', 'concat']) {
    hooks.wrap(Buffer, factory, (original) => {
      return function (this: unknown, source?: unknown, second?: unknown, third?: unknown): unknown {
        const createdBefore = counter.created;
        const buffer = original.call(this, source, second, third) as Buffer;
        // `concat` and `from` call another factory for most of what they make: it was counted there.
        if (counter.created !== createdBefore) return buffer;
        // A view of an ArrayBuffer: the memory is that one's.
        if (typeof source === 'object' && buffer.buffer === source) return buffer;
        counter.created++;
        sampling.bytesLeft -= buffer.length;
        if (sampling.bytesLeft < 0) capture(buffer);
        return buffer;
      };
    });
  }
}

/**
 * What the application makes with `new ArrayBuffer`. Constructors of typed arrays are left alone: V8 gives up its short way
 * of slicing any typed array as soon as one of them is replaced.
 */
function installArrayBuffers(hooks: KindHooks): void {
  const { counter, sampling, capture } = byteCounting(hooks, 'arraybuffer');
  const Original = globalThis.ArrayBuffer;
  const Counted = function (this: unknown, length: number): ArrayBuffer {
    const target = new.target as unknown as Constructor | undefined;
    // Options and subclasses are rare, an array of arguments per buffer is not. Without `new` it throws as the original does.
    const buffer =
      target === (Counted as unknown) && arguments.length <= 1
        ? new Original(length)
        : // eslint-disable-next-line prefer-rest-params -- as above
          constructed(Original, arguments, target === (Counted as unknown) ? Original : target);
    counter.created++;
    sampling.bytesLeft -= buffer.byteLength;
    if (sampling.bytesLeft < 0) capture(buffer);
    return buffer;
  };
  dressAs(Counted, Original as unknown as () => unknown);
  // Whoever asks an instance for its constructor compares with the global one.
  if (hooks.patches.replace(globalThis, 'ArrayBuffer', Counted)) {
    hooks.patches.replace(Original.prototype, 'constructor', Counted);
  }
}

type Constructor = abstract new (...args: never[]) => unknown;

function constructed(Original: ArrayBufferConstructor, args: IArguments, target: Constructor | undefined): ArrayBuffer {
  if (target === undefined) return (Original as unknown as (length: unknown) => ArrayBuffer)(args[0]);
  return Reflect.construct(Original, args, target) as ArrayBuffer;
}

/** The counter of a kind in bytes, and what takes the stack of the allocation that made `bytesLeft` negative. */
function byteCounting(hooks: KindHooks, kind: string) {
  const sampling = new ByteSampling(hooks.core.now);
  const counter = hooks.counter(kind, {
    estimated: true,
    endsByCollection: true,
    lingers: true,
    inBytes: true,
    nature: 'local',
  });
  const capture = (buffer: { readonly byteLength: number }): void => {
    const { meanBytes } = sampling;
    sampling.taken();
    hooks.state.run(kind, () => {
      const share = 1 - Math.exp(-buffer.byteLength / meanBytes);
      counter.openEstimated(buffer, 1 / share, buffer.byteLength / share);
    });
  };
  return { counter, sampling, capture };
}

/** Poisson sampling by bytes, at a mean that rises with the rate of allocation. */
class ByteSampling {
  meanBytes = MEAN_BYTES;
  bytesLeft = this.gap();
  private secondStartMs: number;
  private takenCount = 0;

  constructor(private readonly now: () => number) {
    this.secondStartMs = now();
  }

  taken(): void {
    const nowMs = this.now();
    if (nowMs - this.secondStartMs >= 1_000) {
      // What the last second took tells the mean for the next: an idle one brings it down again.
      const perSecond = (this.takenCount / (nowMs - this.secondStartMs)) * 1_000;
      if (perSecond < CAPTURES_PER_SECOND / 2) this.meanBytes = Math.max(MEAN_BYTES, this.meanBytes / 2);
      this.secondStartMs = nowMs;
      this.takenCount = 0;
    }
    if (++this.takenCount > CAPTURES_PER_SECOND) {
      this.takenCount = 0;
      this.meanBytes *= 2;
    }
    // Exponential, so that where the next one falls does not depend on where the last one fell.
    this.bytesLeft = this.gap();
  }

  private gap(): number {
    return Math.ceil(-Math.log(1 - Math.random()) * this.meanBytes);
  }
}
