import { jsonWeightBytes } from '../../src/transport/json-weight.js';
import { forceGc } from '../support/force-gc';
import { settledBytes } from '../support/settled-bytes';

const collectGarbage = forceGc();

const many = (item: string, count: number) => `[${Array.from({ length: count }, () => item).join(',')}]`;

describe('jsonWeightBytes', () => {
  it.each([
    ['empty lists', many('[]', 40_000)],
    ['empty objects', many('{}', 40_000)],
    ['small objects', many('{"a":1}', 15_000)],
    ['fractions', many('0.5', 30_000)],
    ['whole numbers', many('1', 60_000)],
    ['short texts', many('"ab"', 24_000)],
    ['one long text', JSON.stringify('x'.repeat(120_000))],
    ['one long text of wide characters', JSON.stringify('€'.repeat(60_000))],
    ['many keys', JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i])))],
    ['nested lists', `${'['.repeat(60)}${many('[[[]]]', 15_000)}${']'.repeat(60)}`],
  ])('is no less than what V8 holds: %s', async (_what, json) => {
    const copies = 20;
    const kept: unknown[] = new Array<unknown>(copies);
    const before = await settledBytes(() => process.memoryUsage().heapUsed);
    for (let i = 0; i < copies; i++) kept[i] = JSON.parse(json);
    collectGarbage();
    const heldBytes = (process.memoryUsage().heapUsed - before) / copies;
    expect(jsonWeightBytes(kept[0])).toBeGreaterThanOrEqual(heldBytes * 0.95);
    // An estimate from above, not a bogeyman.
    expect(jsonWeightBytes(kept[0])).toBeLessThan(Math.max(heldBytes, json.length) * 8);
  });
});
