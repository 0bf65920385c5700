import { readSettings } from '../../src/config/settings.js';
import { PlannedFirings } from '../../src/schedules/planned-firings.js';
import type { Firing } from '../../src/schedules/schedule-store.js';

const NOW = 1_800_000_000_000;
const item = (id: string, inMs = 500) => ({ namespace: 'default', id, dueAt: NOW + inMs });
/** Of a firing it looks at these two only; the others are the business of whoever made it. */
const firing = (specText = '{}', latenessMs = 0) => ({ specText, latenessMs }) as Firing;

describe('PlannedFirings', () => {
  let planned: PlannedFirings;
  beforeEach(() => {
    jest.useFakeTimers();
    planned = new PlannedFirings(readSettings({ LATE_AFTER_MS: '400', MISFIRE_THRESHOLD_MS: '30000' }));
  });
  afterEach(() => {
    planned.onApplicationShutdown();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('gives a plan once, with how late it was taken', () => {
    planned.plan(item('a'), NOW, () => firing());
    expect(planned.has(item('a'))).toBe(true);
    expect(planned.take(item('a'), NOW + 507)).toMatchObject({ latenessMs: 7 });
    expect(planned.take(item('a'), NOW + 507)).toBeUndefined();
    expect(planned.count).toBe(0);
  });

  it('gives none for another due time, nor for a tick that is told as late by now', () => {
    planned.plan(item('a'), NOW, () => firing());
    expect(planned.has(item('a', 501))).toBe(false);
    expect(planned.take(item('a', 501), NOW + 501)).toBeUndefined();
    planned.plan(item('b'), NOW, () => firing());
    expect(planned.take(item('b'), NOW + 901)).toBeUndefined();
    planned.plan(item('c'), NOW, () => firing());
    expect(planned.take(item('c'), NOW + 900)).toBeDefined();
  });

  it('keeps neither what has come already, nor what was overdue, nor what cannot be planned', () => {
    planned.plan(item('a', 0), NOW, () => firing());
    planned.plan(item('b'), NOW, () => firing('{}', 3));
    planned.plan(item('c'), NOW, () => {
      throw new Error('no such zone');
    });
    expect(planned.count).toBe(0);
    const skipping = { specText: '{}', latenessMs: undefined } as Firing;
    planned.plan(item('d'), NOW, () => skipping);
    expect(planned.take(item('d'), NOW + 507)).toBe(skipping);
  });

  it('holds a bounded number of plans, and a bounded amount of text', () => {
    for (let count = 0; count < 5_000; count += 1) planned.plan(item(`s-${count}`), NOW, () => firing());
    expect(planned.count).toBe(4_096);
    planned.onApplicationShutdown();
    planned = new PlannedFirings(readSettings({}));
    const long = 'x'.repeat(100_000);
    for (let count = 0; count < 50; count += 1) planned.plan(item(`s-${count}`), NOW, () => firing(long));
    expect(planned.count).toBe(10);
    // A plan that is replaced or taken makes room.
    expect(planned.plan(item('s-0', 600), NOW, () => firing(long))).toBeDefined();
    expect(planned.plan(item('s-10'), NOW, () => firing(long))).toBeUndefined();
    planned.take(item('s-1'), NOW);
    expect(planned.plan(item('s-10'), NOW, () => firing(long))).toBeDefined();
    expect(planned.count).toBe(10);
  });

  it('forgets what nobody took, and has no timer then', () => {
    planned.plan(item('a'), NOW, () => firing());
    planned.plan(item('b', 5_000), NOW, () => firing());
    jest.advanceTimersByTime(2_000);
    expect(planned.has(item('a'))).toBe(false);
    expect(planned.has(item('b', 5_000))).toBe(true);
    jest.advanceTimersByTime(6_000);
    expect(planned.count).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});
