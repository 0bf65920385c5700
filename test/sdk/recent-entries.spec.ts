import { RecentEntries } from '../../src/sdk/recent-entries.js';

describe('RecentEntries', () => {
  it('keeps the newest by count', () => {
    const recent = new RecentEntries<number>({ maxCount: 3, maxAgeMs: 60_000 });
    for (let i = 0; i < 5; i++) recent.set(`k${i}`, i);
    expect(recent.count).toBe(3);
    expect(['k0', 'k1', 'k2', 'k3', 'k4'].map((key) => recent.get(key))).toEqual([undefined, undefined, 2, 3, 4]);
    recent.set('k2', 22);
    recent.set('k5', 5);
    expect(['k2', 'k3', 'k4', 'k5'].map((key) => recent.get(key))).toEqual([22, undefined, 4, 5]);
  });

  it('keeps what fits by weight, and nothing that alone is too heavy', () => {
    const recent = new RecentEntries<string>({ maxCount: 100, maxAgeMs: 60_000, maxWeight: 10 });
    recent.set('a', 'a', 4);
    recent.set('b', 'b', 4);
    recent.set('a', 'A', 5);
    expect([recent.get('a'), recent.get('b')]).toEqual(['A', 'b']);
    recent.set('c', 'c', 4);
    expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual(['A', undefined, 'c']);
    recent.set('d', 'd', 11);
    expect(recent.count).toBe(0);
    recent.set('e', 'e', 10);
    expect(recent.get('e')).toBe('e');
  });

  it('forgets by age', () => {
    let now = 1_000;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    const recent = new RecentEntries<number>({ maxCount: 100, maxAgeMs: 50 });
    recent.set('old', 1);
    now += 30;
    recent.set('young', 2);
    expect([recent.get('old'), recent.get('young')]).toEqual([1, 2]);
    now += 30;
    expect([recent.get('old'), recent.get('young')]).toEqual([undefined, 2]);
    recent.set('new', 3);
    expect(recent.count).toBe(2);
    clock.mockRestore();
  });
});
