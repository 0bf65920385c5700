import { allPages } from '../../src/cli/paging.js';
import { UsageError } from '../../src/cli/usage.error.js';
import { readDuration } from '../../src/cli/values/duration.value.js';
import { readInstant, readSince } from '../../src/cli/values/instant.value.js';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['1.5s', 1_500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['366d', 366 * 86_400_000],
  ])('%s is %d ms', (text, ms) => expect(readDuration(text)).toBe(ms));

  it.each(['5', '', '0s', '0.1ms', '-1s', '1 s', '1w', '1h30m', '367d', '1e3s'])('%j is refused', (text) => {
    expect(() => readDuration(text)).toThrow(UsageError);
  });
});

describe('an instant', () => {
  it.each([
    ['2026-03-29T02:30:00+02:00', Date.UTC(2026, 2, 29, 0, 30)],
    ['2026-03-29T00:30:00.123Z', Date.UTC(2026, 2, 29, 0, 30, 0, 123)],
    ['1774744200000', 1_774_744_200_000],
  ])('%s is %d', (text, at) => expect(readInstant(text)).toBe(at));

  it.each(['2026-03-29', '2026-03-29T02:30:00', 'now', '', '-5', '99999999999999'])('%j is refused', (text) => {
    expect(() => readInstant(text)).toThrow(UsageError);
  });

  it('can be how long ago it was', () => {
    const before = Date.now();
    const at = readSince('1h');
    expect(at).toBeGreaterThanOrEqual(before - 3_600_000);
    expect(at).toBeLessThanOrEqual(Date.now() - 3_600_000);
    expect(readSince('2026-03-29T00:30:00Z')).toBe(Date.UTC(2026, 2, 29, 0, 30));
    expect(() => readSince('1w')).toThrow(UsageError);
  });
});

describe('the pages of a list', () => {
  /** A list of numbers whose pages end early, and are empty now and then, as those of rare states do. */
  const source = (total: number) => {
    const asked: number[] = [];
    return {
      asked,
      fetch: ({ limit, cursor = '0.0' }: { limit: number; cursor?: string }) => {
        asked.push(limit);
        const [from, turn] = cursor.split('.').map(Number);
        const count = turn % 3 === 1 ? 0 : Math.min(limit, 7);
        const items = Array.from({ length: Math.min(count, total - from) }, (_, at) => from + at);
        const next = from + items.length;
        return Promise.resolve(next < total ? { items, nextCursor: `${next}.${turn + 1}` } : { items });
      },
    };
  };

  it('are joined up to the limit, and what is left can be asked for', async () => {
    const { fetch, asked } = source(100);
    const first = await allPages(fetch, { limit: 20 });
    expect(first.items).toEqual(Array.from({ length: 20 }, (_, at) => at));
    expect(Math.max(...asked)).toBe(20);
    const rest = await allPages(fetch, { limit: 1_000, cursor: first.nextCursor });
    expect(rest).toEqual({ items: Array.from({ length: 80 }, (_, at) => 20 + at) });
    expect(Math.max(...asked)).toBe(500);
  });

  it('are 50 items when nothing is said, and have no cursor when that was all', async () => {
    expect((await allPages(source(60).fetch, {})).items).toHaveLength(50);
    expect(await allPages(source(3).fetch, {})).toEqual({ items: [0, 1, 2] });
  });

  it('do not go round in a circle', async () => {
    const fetch = () => Promise.resolve({ items: [] as number[], nextCursor: 'same' });
    expect(await allPages(fetch, {})).toEqual({ items: [], nextCursor: 'same' });
  });
});
