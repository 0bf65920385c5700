import fc from 'fast-check';
import { RequestBudget } from '../../src/transport/request-budget.js';

const holder = () => ({ inFlightCount: 0, inFlightBytes: 0 });

describe('RequestBudget', () => {
  it('leaves as much as the greediest connection has for the next one', () => {
    const budget = new RequestBudget(100, 2 ** 30);
    const takeAll = () => {
      const one = holder();
      try {
        for (;;) budget.take(one, 0);
      } catch (error) {
        expect(error).toMatchObject({ code: 'RATE_LIMITED' });
      }
      return one.inFlightCount;
    };
    expect(takeAll()).toBe(51);
    expect(takeAll()).toBe(25);
    expect(takeAll()).toBe(13);
  });

  it('refuses by bytes what it would take by count, and says which setting is meant', () => {
    const budget = new RequestBudget(100, 100_000);
    const one = holder();
    expect(() => budget.take(one, 200_000)).toThrow(/MAX_IN_FLIGHT_BYTES/);
    const held = budget.take(one, 60_000);
    expect(() => budget.take(one, 1)).toThrow(/MAX_IN_FLIGHT_BYTES/);
    expect(budget.take(holder(), 1)).toBeGreaterThan(1);
    budget.giveBackPlace(one);
    expect(() => budget.take(one, 1)).toThrow(/MAX_IN_FLIGHT_BYTES/);
    budget.giveBackBytes(one, held);
    expect(budget.take(one, 1)).toBeGreaterThan(1);
  });

  it('never holds more than it may, and nothing when all is given back', () => {
    const steps = fc.array(fc.record({ who: fc.nat(3), bytes: fc.nat(40_000), gives: fc.boolean() }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, (all) => {
        const budget = new RequestBudget(20, 200_000);
        const holders = Array.from({ length: 4 }, holder);
        const taken: { who: number; bytes: number }[] = [];
        const giveBack = () => {
          const one = taken.shift();
          if (one === undefined) return;
          budget.giveBackPlace(holders[one.who]);
          budget.giveBackBytes(holders[one.who], one.bytes);
        };
        for (const { who, bytes, gives } of all) {
          if (gives) giveBack();
          try {
            taken.push({ who, bytes: budget.take(holders[who], bytes) });
          } catch {
            // Full.
          }
          expect(budget.takenBytes).toBeLessThanOrEqual(200_000);
          expect(budget.takenBytes).toBe(taken.reduce((sum, one) => sum + one.bytes, 0));
          expect(taken.length).toBeLessThanOrEqual(20);
        }
        while (taken.length > 0) giveBack();
        expect(budget.takenBytes).toBe(0);
        expect(holders).toEqual(Array.from({ length: 4 }, holder));
      }),
      { seed: 20_260, numRuns: 200 },
    );
  });
});
