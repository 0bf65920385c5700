import { DeadlineWheel, WheelEntry } from '../../src/deadlines/deadline-wheel.js';
import { eventually } from '../support/eventually.js';

class Entry extends WheelEntry {
  firedAt: number[] = [];
  constructor(
    readonly dueAt: number,
    private readonly also?: () => void,
  ) {
    super();
  }
  onDue(): void {
    this.firedAt.push(performance.now());
    this.also?.();
  }
}

describe('DeadlineWheel', () => {
  const wheel = new DeadlineWheel();
  const inMs = (ms: number, also?: () => void) => new Entry(performance.now() + ms, also);

  afterEach(() => wheel.close());

  it('fires each entry once and never early, in whatever order they were added', async () => {
    const entries = [300, 20, 150, 20, 1, 80, 0, -500].map((ms) => inMs(ms));
    for (const entry of entries) wheel.add(entry);
    expect(wheel.count).toBe(8);
    await eventually(() => wheel.count === 0);
    for (const { firedAt, dueAt } of entries) {
      expect(firedAt).toHaveLength(1);
      expect(firedAt[0]).toBeGreaterThanOrEqual(dueAt);
    }
  });

  it('does not fire what was removed, and fires its neighbours of the same slot', async () => {
    const dueAt = performance.now() + 60;
    const entries = Array.from({ length: 5 }, () => new Entry(dueAt));
    for (const entry of entries) wheel.add(entry);
    for (const index of [0, 2, 4, 4]) wheel.remove(entries[index]);
    expect(wheel.count).toBe(2);
    expect(wheel.entries()).toEqual(expect.arrayContaining([entries[1], entries[3]]));
    await eventually(() => wheel.count === 0);
    expect(entries.map(({ firedAt }) => firedAt.length)).toEqual([0, 1, 0, 1, 0]);
  });

  it('lets one entry remove or add others while it fires', async () => {
    const second = inMs(10);
    const third = inMs(30);
    wheel.add(second);
    wheel.add(
      new Entry(second.dueAt, () => {
        wheel.remove(second);
        wheel.add(third);
      }),
    );
    await eventually(() => third.firedAt.length === 1);
    expect(second.firedAt).toEqual([]);
  });

  it('keeps entries that are due after a whole turn for their own turn', async () => {
    const far = inMs(5_120 + 40);
    const near = new Entry(far.dueAt - 5_120);
    wheel.add(far);
    wheel.add(near);
    await eventually(() => near.firedAt.length === 1);
    expect(far.firedAt).toEqual([]);
    expect(wheel.count).toBe(1);
    wheel.remove(far);
  });

  it('catches up with everything that came due while the process was stuck', async () => {
    const entries = [5, 30, 60, 90].map((ms) => inMs(ms));
    for (const entry of entries) wheel.add(entry);
    const until = performance.now() + 200;
    while (performance.now() < until);
    await eventually(() => wheel.count === 0);
    for (const { firedAt } of entries) expect(firedAt).toHaveLength(1);
  });
});
