import type { Kind } from './kind.js';

/** Bytes between two captures, on average, while bytes are allocated slowly. */
const MEAN_BYTES = 512 * 1024;
/** Beyond so many captures the mean is doubled, until the next second. */
const CAPTURES_PER_SECOND = 40;

/** Buffers by the bytes they hold: sampled so that every byte has the same chance, whatever the size of its Buffer. */
export const buffers: Kind = {
  name: 'buffers',
  install(hooks) {
    const sampling = new ByteSampling(hooks.core.now);
    const counter = hooks.counter('buffer', {
      estimated: true,
      endsByCollection: true,
      lingers: true,
      inBytes: true,
      nature: 'local',
    });
    const { state } = hooks;
    const capture = (buffer: Buffer): void => {
      const { meanBytes } = sampling;
      sampling.taken();
      state.run('buffer', () => {
        const share = 1 - Math.exp(-buffer.length / meanBytes);
        counter.openEstimated(buffer, 1 / share, buffer.length / share);
      });
    };
    for (const factory of ['alloc', 'allocUnsafe', 'allocUnsafeSlow', 'from', 'concat']) {
      hooks.wrap(Buffer, factory, (original) => {
        return function (this: unknown, source?: unknown, second?: unknown, third?: unknown): unknown {
          const buffer = original.call(this, source, second, third) as Buffer;
          counter.created++;
          sampling.bytesLeft -= buffer.length;
          if (sampling.bytesLeft < 0) capture(buffer);
          return buffer;
        };
      });
    }
  },
};

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
