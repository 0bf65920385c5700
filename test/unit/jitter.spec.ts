import { jitterOf } from '../../src/schedules/jitter.js';

describe('jitterOf', () => {
  it('is nothing without jitter', () => {
    expect(jitterOf('default', 'a', 1_000, 0)).toBe(0);
  });

  it('is the same at every look and stays within its bound', () => {
    const all = Array.from({ length: 1_000 }, (_, tick) => jitterOf('default', 'a', tick, 500));
    expect(all).toEqual(Array.from({ length: 1_000 }, (_, tick) => jitterOf('default', 'a', tick, 500)));
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...all)).toBeLessThanOrEqual(500);
    // Evenly spread: the mean of 1,000 draws from 0…500 is within 6 standard errors of 250.
    expect(Math.abs(all.reduce((sum, ms) => sum + ms, 0) / 1_000 - 250)).toBeLessThan(28);
  });

  it('differs between schedules and namespaces', () => {
    const draws = new Set([jitterOf('x', 'a', 1, 1e6), jitterOf('x', 'b', 1, 1e6), jitterOf('y', 'a', 1, 1e6)]);
    expect(draws.size).toBe(3);
  });
});
