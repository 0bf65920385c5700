import { RateLimit } from '../../src/transport/rate-limit.js';

/** Takes turns until there is none. */
function takeAll(limit: RateLimit, now: number): number {
  for (let count = 0; ; count++) {
    if (limit.waitMs(now) > 0) return count;
    limit.take();
  }
}

describe('RateLimit', () => {
  it('gives a fifth of a second at once, then what time brings, and no more than that after a long pause', () => {
    const limit = new RateLimit(1_000, 0);
    expect(takeAll(limit, 0)).toBe(200);
    expect(limit.waitMs(0)).toBe(10);
    expect(takeAll(limit, 10)).toBe(10);
    expect(takeAll(limit, 1_010)).toBe(200);
    expect(takeAll(limit, 86_400_000)).toBe(200);
  });

  it('gives one at a time where less than one comes in a portion', () => {
    const limit = new RateLimit(2, 0);
    expect(takeAll(limit, 0)).toBe(1);
    expect(limit.waitMs(0)).toBe(500);
    expect(takeAll(limit, 500)).toBe(1);
  });

  it('has no limit at 0', () => {
    const limit = new RateLimit(0, 0);
    for (let i = 0; i < 1_000_000; i++) limit.take();
    expect(limit.waitMs(0)).toBe(0);
  });
});
