import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DIST_DIR } from '../support/run-fixture';

jest.setTimeout(60_000);

/** Runs `code` in a process of its own with `heapSampling` in its hands, and gives what it sends. */
async function inProcess<T>(code: string): Promise<T> {
  const program = `
    const { heapSampling } = require(${JSON.stringify(join(DIST_DIR, 'ledger', 'index.js'))});
    const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    (async () => { ${code} })().then((value) => process.send({ value }), (error) => process.send({ error: error.stack }))
      .finally(() => process.disconnect());`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [message] = (await once(child, 'message')) as [{ value: T; error?: string }];
  if (child.exitCode === null) await once(child, 'exit');
  if (message.error !== undefined) throw new Error(message.error);
  return message.value;
}

describe('the heap sampler', () => {
  it('runs while somebody holds it, at the finest interval asked for', async () => {
    const told = await inProcess<unknown[]>(`
      const [a, b] = [heapSampling('a'), heapSampling('b')];
      const told = [];
      const tell = () => { const { running, intervalBytes, holders } = a.status(); told.push([running, intervalBytes, holders.join()]); };
      tell();
      told.push(a.start());
      tell();
      b.start({ intervalBytes: 100_000 }); tell();
      b.stop(); tell();
      b.stop(); a.stop(); tell();
      told.push(b.isRunning);
      return told;
    `);
    expect(told).toEqual([
      [false, 0, ''],
      true,
      [true, 524_288, 'a'],
      [true, 100_000, 'a,b'],
      [true, 524_288, 'a'],
      [false, 0, ''],
      false,
    ]);
  });

  it('looks closer for a while and steps back, for whoever held it and for whoever did not', async () => {
    const told = await inProcess<unknown[]>(`
      const [a, b] = [heapSampling('a'), heapSampling('b')];
      const interval = () => a.status().intervalBytes;
      const until = async (wanted) => { while (interval() !== wanted) await later(10); return wanted; };
      const told = [];
      a.start(); a.lookCloser({ forMs: 100 });
      told.push(interval(), a.status().closerUntil - Date.now() <= 100, await until(524288), a.status().closerUntil);
      a.stop();
      b.lookCloser({ intervalBytes: 1, forMs: 100 });
      told.push(interval(), await until(0), b.status().holders);
      return told;
    `);
    expect(told).toEqual([131_072, true, 524_288, null, 32_768, 0, []]);
  });

  it('keeps no process alive, and leaves no timer when it is let go', async () => {
    const resources = await inProcess<string[]>(`
      const sampling = heapSampling('a');
      sampling.start(); sampling.lookCloser({ forMs: 600_000 }); sampling.read();
      return process.getActiveResourcesInfo().filter((type) => type === 'Timeout');
    `);
    expect(resources).toEqual([]);
  });

  it('keeps what it found when it stops, and answers without having run', async () => {
    const [before, stacks] = await inProcess<[unknown[], { stack: { function: string }[] }[]]>(`
      const sampling = heapSampling('a');
      sampling.read();
      const before = [await sampling.sites(), await sampling.stacks()];
      sampling.start({ intervalBytes: 32768 });
      globalThis.kept = [];
      function keeping() { for (let i = 0; i < 20_000; i++) globalThis.kept.push({ i, text: 'a' + i }); }
      keeping();
      sampling.read();
      sampling.stop();
      return [before, await sampling.stacks()];
    `);
    expect(before).toEqual([[], []]);
    expect(stacks.flatMap(({ stack }) => stack.map((frame) => frame.function))).toContain('keeping');
  });

  it('says so when somebody else samples the heap, and when somebody stops it underneath', async () => {
    const told = await inProcess<unknown[]>(`
      const { heap } = require('@datadog/pprof');
      const sampling = heapSampling('a');
      heap.start(524288, 16);
      const taken = [sampling.start(), sampling.isRunning, sampling.status().unavailable];
      heap.stop();
      const free = [sampling.start(), sampling.status().unavailable];
      heap.stop();
      sampling.read();
      return [taken, free, [sampling.isRunning, sampling.status().unavailable]];
    `);
    expect(told).toEqual([
      [false, false, 'the heap is sampled by somebody else'],
      [true, null],
      [false, 'the sampling of the heap was stopped by somebody else'],
    ]);
  });

  it('says so where the addon cannot be loaded, and fails nobody', async () => {
    const told = await inProcess<unknown[]>(`
      const { Module } = require('node:module');
      const load = Module._load;
      Module._load = function (name) {
        if (name === '@datadog/pprof') throw Object.assign(new Error('No native build was found'), { code: 'ERR_DLOPEN_FAILED' });
        return load.apply(this, arguments);
      };
      const sampling = heapSampling('a');
      const started = [sampling.start(), sampling.lookCloser()];
      sampling.read(); sampling.stop();
      return [...started, await sampling.sites(), sampling.status().unavailable, sampling.status().holders];
    `);
    expect(told).toEqual([false, false, [], '@datadog/pprof cannot be loaded (ERR_DLOPEN_FAILED)', []]);
  });
});
