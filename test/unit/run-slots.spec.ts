import { RunSlots } from '../../src/runs/run-slots.js';

describe('the places of a replica', () => {
  it('go first to the one who waits, and news of the others to whoever has runs waiting', async () => {
    const slots = new RunSlots({ maxConcurrentRuns: 3 });
    const freed: number[] = [];
    expect(slots.tryTake(3)).toBe(3);
    slots.whenFreed(() => freed.push(slots.tryTake(5)));
    const taken = slots.take();
    slots.give();
    expect(await taken).toBe(true);
    expect(freed).toEqual([]);
    slots.give(2);
    expect(freed).toEqual([2]);
    expect(slots.tryTake(1)).toBe(0);
  });

  it('are given to nobody once they are closed, but for the last ones', async () => {
    const slots = new RunSlots({ maxConcurrentRuns: 1 });
    slots.close();
    expect(slots.tryTake(1)).toBe(0);
    expect(await slots.take()).toBe(false);
    expect(slots.takeLast()).toBe(true);
    expect(slots.takeLast()).toBe(false);
  });
});
