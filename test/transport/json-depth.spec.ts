import { isDeeperThan } from '../../src/transport/json-depth.js';

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
}

describe('isDeeperThan', () => {
  it.each([
    ['arrays', (inner: unknown) => [inner]],
    ['objects', (inner: unknown) => ({ inner })],
    ['arrays with company', (inner: unknown) => [1, 'x', inner, null]],
  ])('finds %s nested one too deep, and only them', (_what, wrap) => {
    expect(isDeeperThan(nested(10, wrap), 10)).toBe(false);
    expect(isDeeperThan(nested(11, wrap), 10)).toBe(true);
  });

  it('counts a scalar as flat and an empty container as one', () => {
    expect(isDeeperThan('x', 0)).toBe(false);
    expect(isDeeperThan(null, 0)).toBe(false);
    expect(isDeeperThan({}, 0)).toBe(true);
    expect(isDeeperThan([], 1)).toBe(false);
  });

  it('survives what would break the stack', () => {
    const text = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(isDeeperThan(JSON.parse(text), 64)).toBe(true);
  });

  it('sees keys that look like the prototype', () => {
    expect(isDeeperThan(JSON.parse('{"__proto__":{"__proto__":{}}}'), 2)).toBe(true);
    expect(isDeeperThan(JSON.parse('{"__proto__":{"constructor":1}}'), 2)).toBe(false);
  });
});
