import type { MemoryFigures } from '../../../../src/ledger/process/memory-figures';
import { MemoryWatch } from '../../../../src/diagnostics/recorder/memory/memory-watch';

const figures = (change: Partial<MemoryFigures> = {}): MemoryFigures => ({
  limitBytes: 1_000,
  usedBytes: 500,
  heapUsedBytes: 100,
  heapLimitBytes: 1_000,
  ...change,
});
const used = (usedBytes: number) => figures({ usedBytes });
const heap = (heapUsedBytes: number) => figures({ limitBytes: null, usedBytes: 0, heapUsedBytes });

describe('the watch over memory', () => {
  let watch: MemoryWatch;
  beforeEach(() => (watch = new MemoryWatch(0.85)));
  const look = (...looks: MemoryFigures[]): MemoryWatch => {
    for (const one of looks) watch.look(one);
    return watch;
  };

  it('sees pressure from the soft limit on', () => {
    expect(look(used(849)).pressure).toBeNull();
    expect(look(used(850)).pressure).toEqual({ limit: 'memory limit', usedBytes: 850, limitBytes: 1_000 });
  });

  it('leaves it 5 % lower, and not before', () => {
    look(used(860));
    expect(look(used(801)).pressure).not.toBeNull();
    expect(look(used(799)).pressure).toBeNull();
    expect(look(used(849)).pressure).toBeNull();
  });

  it('sees none without a limit, however much is used', () => {
    expect(look(figures({ limitBytes: null, usedBytes: 10 ** 12 })).pressure).toBeNull();
    expect(watch.isNear).toBe(false);
  });

  it('takes a heap for full only when it was in each of ten looks: garbage is no pressure', () => {
    for (let count = 0; count < 30; count++) look(heap(count % 5 === 4 ? 300 : 950));
    expect(watch.pressure).toBeNull();
    look(...Array.from({ length: 9 }, () => heap(900)));
    expect(watch.pressure).toBeNull();
    expect(look(heap(870)).pressure).toEqual({ limit: 'V8 heap limit', usedBytes: 870, limitBytes: 1_000 });
    expect(look(heap(700)).pressure).toBeNull();
  });

  it('tells the limit of the cgroup first: that one kills without a word', () => {
    look(...Array.from({ length: 10 }, () => figures({ usedBytes: 900, heapUsedBytes: 990 })));
    expect(watch.pressure?.limit).toBe('memory limit');
  });

  it('is near from 15 % left on', () => {
    look(used(800));
    expect(look(used(849)).isNear).toBe(false);
    expect(look(used(851)).isNear).toBe(true);
    expect(look(used(700)).isNear).toBe(false);
  });

  it('is near when at this pace nothing is left after three more looks', () => {
    look(used(300));
    expect(look(used(470)).isNear).toBe(false);
    // 530 left, 180 taken since the look before.
    expect(look(used(650)).isNear).toBe(true);
    // It stands still: not near any more.
    expect(look(used(650)).isNear).toBe(false);
  });

  it('is near when the heap is, whatever the cgroup has left', () => {
    look(...Array.from({ length: 9 }, () => figures({ heapUsedBytes: 860 })));
    expect(watch.isNear).toBe(false);
    expect(look(figures({ heapUsedBytes: 851 })).isNear).toBe(true);
  });

  it('the first look is near by its level alone', () => {
    expect(look(used(840)).isNear).toBe(false);
  });
});
