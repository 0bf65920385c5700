import { judgeFlatness, type Series } from './flatness.js';

const series = (values: number[], tolerance = 0): Series => ({ what: 'sockets', unit: 'count', values, tolerance });
const climb = (from: number, step: number, count: number) => Array.from({ length: count }, (_, at) => from + at * step);

it('a level series is flat, also when it filled to its cap during the warm-up', () => {
  expect(judgeFlatness(series([7, 7, 7, 7, 7, 7, 7, 7]))).toMatchObject({ growth: 0, isFlat: true });
  expect(judgeFlatness(series([1, 5, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20]))).toMatchObject({ isFlat: true });
});

it('one more with each reading is growth', () => {
  expect(judgeFlatness(series(climb(7, 1, 8)))).toMatchObject({ isFlat: false });
  expect(judgeFlatness(series(climb(2 ** 20, 2 ** 18, 12), 2 ** 20))).toMatchObject({ isFlat: false });
});

it('a single one that came late and stayed is growth where nothing may stay', () => {
  expect(judgeFlatness(series([7, 7, 7, 7, 7, 7, 8, 8, 8, 8]))).toMatchObject({ growth: 1, isFlat: false });
});

it('what wanders within its tolerance, or falls, is flat', () => {
  expect(judgeFlatness(series([100, 104, 99, 103, 101, 104, 100, 103], 5)).isFlat).toBe(true);
  expect(judgeFlatness(series(climb(100, -5, 8))).isFlat).toBe(true);
});

it('four readings are the least', () => {
  expect(() => judgeFlatness(series([1, 1, 1]))).toThrow('sockets: 3 readings tell nothing');
});
