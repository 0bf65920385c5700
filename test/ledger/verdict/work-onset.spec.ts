import type { Moment } from '../../../src/ledger/verdict/moment';
import { WorkOnset } from '../../../src/ledger/verdict/work-onset';

const TICK_MS = 5_000;

/** When more work began, by the pace of each unit (per second) in every tick. */
function onsets(...ticks: readonly (readonly number[])[]): number[] {
  const onset = new WorkOnset();
  const seen: number[] = [];
  let work: readonly number[] = ticks[0]?.map(() => 0) ?? [];
  ticks.forEach((paces, tick) => {
    if (tick > 0) work = work.map((count, unit) => count + (paces[unit]! * TICK_MS) / 1_000);
    const moment: Moment = { atMs: tick * TICK_MS, work, vagueness: work.map(() => 0), collections: 0, inbound: 0 };
    onset.take(moment);
    if (onset.atMs !== null && onset.atMs !== seen[seen.length - 1]) seen.push(onset.atMs);
  });
  return seen;
}

const ticks = (count: number, ...paces: number[]): number[][] => Array.from({ length: count }, () => paces);

describe('the onset of more work than ever before', () => {
  it('is where the first load begins', () => {
    expect(onsets(...ticks(21, 0), ...ticks(20, 100))).toEqual([100_000]);
  });

  it('is none where the load rises by less than several times, or falls', () => {
    expect(onsets(...ticks(20, 20), ...ticks(20, 50), ...ticks(20, 5))).toEqual([0]);
  });

  it('is none where a load comes back that was there before', () => {
    expect(onsets(...ticks(20, 100), ...ticks(20, 0), ...ticks(20, 100), ...ticks(20, 0.1), ...ticks(20, 120))).toEqual(
      [0],
    );
  });

  it('comes again with several times as much, in any unit', () => {
    expect(onsets(...ticks(11, 10, 0), ...ticks(10, 40, 0), ...ticks(10, 40, 5))).toEqual([0, 50_000, 100_000]);
  });

  it('is none for a handful of pieces of work', () => {
    expect(onsets(...ticks(20, 0), ...ticks(1, 1.4), ...ticks(20, 0))).toEqual([]);
  });
});
