import { RateLimitedLog } from '../../src/transport/rate-limited-log.js';

it('writes one line per reason and period, and tells how many it left out', () => {
  const lines: string[] = [];
  let now = 0;
  const log = new RateLimitedLog(
    { warn: (line) => lines.push(line), error: (line) => lines.push(line) },
    1_000,
    () => now,
  );
  for (let i = 0; i < 500; i++) log.warn('a', `number ${i}`);
  log.warn('b', 'another');
  now = 1_000;
  log.warn('a', 'later');
  log.error('c', 'bad');
  now = 2_000;
  log.warn('a', 'last');
  expect(lines).toEqual(['a: number 0', 'b: another', 'a: later (and 499 more like it)', 'c: bad', 'a: last']);
});
