import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HeapProgramReport, runHeapProgram, writeHeapProgram } from '../support/heap-program';

jest.setTimeout(600_000);

const SURE = 3.5;

describe('heap by allocation site', () => {
  const directory = mkdtempSync(join(tmpdir(), 'heap-program-'));
  const { main, lineOf } = writeHeapProgram(directory);
  const leaks = ['objectLeak', 'rememberLeak', 'nativeLeak', 'libraryLeak', 'asyncLeak'];
  const reports = new Map<string, HeapProgramReport>();

  beforeAll(async () => {
    const left = ['none', ...leaks];
    const runOneByOne = async (): Promise<void> => {
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        const [leak, enough] = name === 'none' ? [undefined, Infinity] : [name, SURE];
        reports.set(name, await runHeapProgram(main, leak, enough));
      }
    };
    // Two at a time: each needs its share of a core to get through its reads.
    await Promise.all([runOneByOne(), runOneByOne()]);
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  it.each(leaks)('ranks the function %s first, at its first line in the source', (leak) => {
    const [first, second] = reports.get(leak)!.sites;
    expect(first).toMatchObject({ site: { file: 'src/program.ts', line: lineOf(leak), function: leak } });
    expect(first!.confidence).toBeGreaterThanOrEqual(SURE);
    expect(first!.growthBytesPerSecond).toBeGreaterThan(0);
    expect(second!.confidence).toBeLessThan(SURE);
  });

  it('charges what a native or a library allocates to the function of the application that called it', () => {
    const [native] = reports.get('nativeLeak')!.sites;
    expect(native!.stack[0]).toMatchObject({ function: 'nativeLeak', library: false });
    const [library] = reports.get('libraryLeak')!.sites;
    const user = library!.stack.findIndex((frame) => !frame.library);
    expect(user).toBeGreaterThan(0);
    expect(library!.stack[user - 1]).toMatchObject({ file: 'node_modules/fake-library/index.js', function: 'build' });
    expect(library!.stack[user]).toMatchObject({ function: 'libraryLeak' });
  });

  it('is sure of nothing in a program that only renews what it holds', () => {
    const { sites, status } = reports.get('none')!;
    expect(status.readsCount).toBe(100);
    expect(sites.length).toBeGreaterThan(12);
    // Nobody collected but V8, by itself, and its collections close windows, too.
    expect(sites[0]!.floor.length).toBeGreaterThanOrEqual(1);
    expect(sites.filter(({ confidence }) => confidence >= SURE)).toEqual([]);
  });

  it('estimates what is alive, and tells its own cost', () => {
    const { sites, stacks, status, calls } = reports.get('nativeLeak')!;
    // 40 objects with two fields, an array of 40 and 40 strings of some 8 characters, per call.
    const leakedBytes = calls * (40 * (32 + 24) + 40 * 8);
    const seenBytes = stacks
      .filter(({ site }) => site?.function === 'nativeLeak')
      .reduce((sum, { liveBytes }) => sum + liveBytes, 0);
    expect(seenBytes / leakedBytes).toBeGreaterThan(0.3);
    expect(seenBytes / leakedBytes).toBeLessThan(2);
    expect(sites[0]!.liveBytes).toBeLessThanOrEqual(seenBytes);
    expect(status).toMatchObject({ running: true, unavailable: null, intervalBytes: 65_536, holders: ['test'] });
    expect(status.costMs).toBeGreaterThan(0);
    expect(status.memoryBytes).toBeGreaterThan(0);
    expect(status.memoryBytes).toBeLessThan(1_000_000);
  });
});
