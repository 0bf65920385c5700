import { retryDelayMs } from '../../src/runs/retry-backoff.js';

const retry = { maxAttempts: 9, backoff: 'exponential' as const, delayMs: 100, maxDelayMs: 1_000, onOtherAgent: true };
const noSpread = () => 0;

describe('retryDelayMs', () => {
  it('doubles up to the cap', () => {
    expect([1, 2, 3, 4, 5, 99].map((attempt) => retryDelayMs(retry, attempt, noSpread))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it('stays the same when fixed', () => {
    expect([1, 5].map((attempt) => retryDelayMs({ ...retry, backoff: 'fixed' }, attempt, noSpread))).toEqual([
      100, 100,
    ]);
  });

  it('spreads by at most a tenth, downwards', () => {
    expect(retryDelayMs(retry, 1, () => 1)).toBe(90);
  });
});
