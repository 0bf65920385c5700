import { GrowthPositions } from '../../../src/diagnostics/recorder/growth-positions';
import { sample } from './support/sample';

const site = { file: 'dist/a.js', line: 1, column: 1, function: null };
const group = (id: string, live = 10, where: typeof site | null = site) => ({
  ...{ id, kind: 'timer', site: where, live },
  ratePerSecond: 1,
});

describe('positions in the sources of what grows', () => {
  let lookedUpCount: number;
  let positions: GrowthPositions;
  let nowMs: number;

  beforeEach(() => {
    lookedUpCount = 0;
    nowMs = 1_000_000;
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    positions = new GrowthPositions(() => {
      lookedUpCount += 1;
      return Promise.reject(new Error('no map'));
    });
  });
  afterEach(() => jest.restoreAllMocks());

  const seen = (...growing: ReturnType<typeof group>[]): number => {
    positions.seen(sample({ at: 1, growing }).growing);
    return lookedUpCount;
  };

  it('are looked up once for each group, and seldom', () => {
    expect(seen(group('a'))).toBe(1);
    expect(seen(group('a'), group('b'))).toBe(1);
    nowMs += 15_000;
    expect(seen(group('a'))).toBe(1);
    expect(seen(group('a'), group('b'))).toBe(2);
    nowMs += 15_000;
    expect(seen(group('b'))).toBe(2);
  });

  it('are not looked up for a few, nor for what has none', () => {
    expect(seen(group('a', 9), group('b', 100, null))).toBe(0);
  });
});
