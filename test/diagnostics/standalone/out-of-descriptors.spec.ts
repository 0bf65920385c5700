import { join } from 'node:path';
import { verdictsSchema } from '../../../src/contract/verdict.schema';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { WatchedProgram } from './support/watched-program';

jest.setTimeout(120_000);

/** Takes every descriptor as soon as a leak is found, before it is told, and gives them back after two looks of the detector. */
const exhausting = `
  const { closeSync, openSync, promises } = require('node:fs');
  const { expectAtMost, leakFindings } = require(${JSON.stringify(join(process.cwd(), 'dist/ledger/index.js'))});
  expectAtMost({ kind: 'fs.FileHandle', atMost: 2 });
  process.stdin.resume().on('end', () => process.exit());
  const built = (file) => require(${JSON.stringify(join(process.cwd(), 'dist'))} + '/' + file);
  const memory = new (built('diagnostics/measurements/memory.measurement.js').MemoryMeasurement)();
  const openFds = new (built('diagnostics/measurements/open-fds.measurement.js').OpenFdsMeasurement)();
  const figures = new (built('ledger/process/memory-figures.js').MemoryReader)();
  const { memoryUsage, residentBytes } = built('ledger/process/memory-usage.js');
  const sampler = new (built('diagnostics/recorder/sample-taker.js').SampleTaker)(() => 0);
  sampler.start();
  const readAll = () => ({
    memory: memory.read(),
    openFds: openFds.read(),
    figures: figures.read(),
    usage: memoryUsage(),
    residentBytes: residentBytes(),
    sample: sampler.take(),
  });
  readAll();
  const kept = [];
  const taken = [];
  const exhaust = () => {
    try {
      for (;;) taken.push(openSync('/dev/null'));
    } catch (error) {
      console.log('all taken:', error.code);
      try {
        process.memoryUsage();
      } catch ({ code }) {
        console.log('node cannot read:', code);
      }
      try {
        console.log('read: ' + JSON.stringify(readAll()) + ';');
      } catch (unread) {
        console.log('unread:', unread);
      }
    }
  };
  (async () => {
    for (let count = 0; count < 5; count++) kept.push(await promises.open('/dev/null'));
    const waiting = setInterval(() => {
      if (!leakFindings().findings.some(({ state }) => state === 'leaking')) return;
      clearInterval(waiting);
      exhaust();
      setTimeout(() => {
        taken.splice(0).forEach((fd) => closeSync(fd));
        console.log('given back');
      }, 11_000);
    }, 3);
  })();
`;

describe('a program without a free descriptor', () => {
  let program: WatchedProgram;
  afterEach(() => program.remove());

  it('is not ended by its diagnostics, which tell the leak', async () => {
    const env = { MU_DIAGNOSTICS_PORT: '0' };
    program = WatchedProgram.start('app.cjs', exhausting, '--require', env, { maxOpenFiles: 256 });
    const base = await program.base();
    await eventually(() => program.written.includes('given back') || program.child.exitCode !== null, {
      timeoutMs: 60_000,
    });
    expect(program.child.exitCode).toBeNull();
    expect(program.written).toContain('all taken: EMFILE');
    // What reads the memory of the process goes on, with what it knows.
    expect(program.written).toContain('node cannot read: EMFILE');
    expect(program.written).not.toContain('unread:');
    const read = JSON.parse(/read: (\{.*\});/.exec(program.written)?.[1] ?? 'null') as Record<string, any>;
    expect(read.openFds).toEqual({ openCount: expect.any(Number), limitCount: 256, usedRatio: expect.any(Number) });
    expect(read.openFds.openCount).toBeGreaterThan(250);
    for (const rssBytes of [read.memory.rssBytes, read.usage.rss, read.residentBytes, read.sample.rssBytes]) {
      expect(rssBytes).toBeGreaterThan(10 * 1_048_576);
    }
    expect(read.sample).toMatchObject({ openFdsCount: expect.any(Number), heapUsedBytes: expect.any(Number) });
    expect(read.figures.heapUsedBytes).toBeGreaterThan(0);
    const answer = verdictsSchema.parse((await httpGet(`${base}/diagnostics/verdicts`)).json());
    expect(answer.verdicts).toContainEqual(expect.objectContaining({ kind: 'fs.FileHandle', state: 'leaking' }));
    await eventually(() => expect(program.written).toContain('leaking: '));
    expect(await program.letEnd()).toBe(0);
  });
});
