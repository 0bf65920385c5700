import { memoryFit } from '../../src/config/memory-fit.js';
import { readSettings } from '../../src/config/settings.js';

const MiB = 2 ** 20;
const defaults = readSettings({});

describe('memoryFit', () => {
  it('adds up heap, connections, results, native memory and a heap profile', () => {
    // 80 connections × 384 KiB, 50 results × 96 KiB.
    expect(memoryFit(108 * MiB, 192 * MiB, defaults)).toEqual({
      fits: true,
      text: 'memory limit 192 MiB; 180.7 MiB at worst = heap 108 + connections 30 + results 4.7 + native 30 + heap profile 8',
    });
  });

  it('says when V8 allows itself more than the limit holds, and which heap would fit', () => {
    const { fits, text } = memoryFit(259 * MiB, 192 * MiB, defaults);
    expect(fits).toBe(false);
    expect(text).toMatch(/^memory limit 192 MiB, but 331\.7 MiB at worst = heap 259 \+ .*: the kernel would kill/);
    const oldSpace = Number(/--max-old-space-size=(\d+) --max-semi-space-size=4" fits/.exec(text)![1]);
    // The largest that fits, to the MiB.
    expect(memoryFit((oldSpace + 12) * MiB, 192 * MiB, defaults).fits).toBe(true);
    expect(memoryFit((oldSpace + 13) * MiB, 192 * MiB, defaults).fits).toBe(false);
  });

  it('names the settings to lower where no heap would fit', () => {
    expect(memoryFit(108 * MiB, 96 * MiB, defaults)).toMatchObject({
      fits: false,
      text: expect.stringMatching(/Raise the limit, or lower MAX_CONNECTIONS/) as string,
    });
  });

  it('fits exactly at the limit, and always where there is none', () => {
    const { text } = memoryFit(100 * MiB, null, defaults);
    expect(text).toMatch(/^no memory limit; 172\.7 MiB at worst/);
    const values = { ...defaults, maxResultBytes: 1 * MiB, maxConcurrentRuns: 4 };
    expect(memoryFit(100 * MiB, 172 * MiB, values).fits).toBe(true);
    expect(memoryFit(100 * MiB, 172 * MiB - 1, values).fits).toBe(false);
  });
});
