import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { livesSchema } from '../../../src/contract/recorder.schema';
import { lifeEnd } from '../../../src/diagnostics/recorder/life-end';
import { processIdentity, stillRuns } from '../../../src/diagnostics/recorder/files/process-identity';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { DiagnosticsApp } from '../support/diagnostics-app';
import { livesBefore, RecordedProcess } from './support/recorded-process';
import { sample } from './support/sample';

let path: string;
beforeEach(() => (path = mkdtempSync(join(tmpdir(), 'lives-spec-'))));
afterEach(async () => {
  await RecordedProcess.killAll();
  rmSync(path, { recursive: true, force: true });
});

describe('how a life ended', () => {
  it.each([
    ['exit', { end: 'crashed', exitCode: 7 }],
    ['throw', { end: 'crashed', exitCode: 1 }],
    ['reject', { end: 'crashed', exitCode: 1 }],
    ['abort', { end: 'killed', exitCode: null }],
    ['orderly', { end: 'clean', exitCode: 0 }],
    ['orderly-failure', { end: 'crashed', exitCode: 1 }],
    ['second-signal', { end: 'killed', exitCode: 143 }],
  ])('by %s', async (how, expected) => {
    const child = RecordedProcess.start(path, { END: how });
    await child.ended;
    const [life, ...others] = await livesBefore(path);
    expect(others).toEqual([]);
    expect(life).toMatchObject({ instance: 'spec', ...expected });
    expect(life!.lastSample!.inFlightCount).toBe(child.announcedCount);
    expect(life!.endedAt).toBeGreaterThanOrEqual(life!.lastSample!.at);
    expect(life!.startedAt).toBeLessThanOrEqual(life!.lastSample!.at);
  });

  it('is not known while it runs', async () => {
    const child = RecordedProcess.start(path);
    await eventually(() => child.announcedCount > 1, { timeoutMs: 60_000 });
    expect((await livesBefore(path))[0]).toMatchObject({ end: 'running', endedAt: null });
    await child.kill();
    expect((await livesBefore(path))[0]).toMatchObject({ end: 'killed', endedAt: expect.any(Number) });
  });

  it('near its limit, when the last record says so', () => {
    const header = { id: 'x', instance: 'spec', pid: 1, startedAt: 5, identity: 'gone' };
    const last = { sample: sample({ at: 9 }), isNearLimit: true, verdicts: [] };
    const read = { header, last, stoppedAt: null, exit: null };
    expect(lifeEnd(read)).toEqual({ end: 'killed-near-limit', endedAt: 9, exitCode: null });
    expect(lifeEnd({ ...read, stoppedAt: 10 })).toEqual({ end: 'clean', endedAt: 10, exitCode: null });
    expect(lifeEnd({ ...read, last: null })).toEqual({ end: 'killed', endedAt: 5, exitCode: null });
    expect(lifeEnd({ header: null, last: null, stoppedAt: null, exit: null }).end).toBe('unknown');
  });

  it('a process is told from another with its number', () => {
    const identity = processIdentity(process.pid);
    expect(stillRuns({ pid: process.pid, identity })).toBe(true);
    expect(stillRuns({ pid: process.ppid, identity })).toBe(false);
    expect(stillRuns({ pid: process.pid, identity: null })).toBe(false);
    expect(processIdentity(2 ** 22 + 1)).toBeNull();
  });
});

describe('GET /diagnostics/lives', () => {
  const recorder = (instance: string) => ({ directory: path, instance, intervalMs: 20 });

  it('tells of this life and, latest first, of those before it under the same name', async () => {
    await RecordedProcess.start(path, { END: 'exit' }).ended;
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await RecordedProcess.start(path, { END: 'orderly' }).ended;
    await RecordedProcess.start(path, { END: 'exit', INSTANCE: 'another' }).ended;
    const served = await DiagnosticsApp.start({ recorder: recorder('spec') });
    try {
      const read = async () => livesSchema.parse((await httpGet(served.url('/diagnostics/lives'))).json());
      await eventually(async () => expect((await read()).current.lastSample).not.toBeNull());
      const { current, previous } = await read();
      expect(current).toMatchObject({ pid: process.pid, instance: 'spec', end: 'running', endedAt: null });
      expect(previous.map(({ end, exitCode }) => [end, exitCode])).toEqual([
        ['clean', 0],
        ['crashed', 7],
      ]);
      const { text } = await httpGet(served.url('/diagnostics/lives?format=text'));
      expect(text).toMatch(/^\S+ runs$/m);
      expect(text).toMatch(/^\S+ crashed with exit code 7, \d{4}-/m);
      expect(text).toMatch(/^ {2}last seen \S+: RSS [\d.]+ MiB/m);
      expect((await httpGet(served.url('/diagnostics/lives?all=1'))).status).toBe(400);
    } finally {
      await served.app.close();
    }
    // This process began before those of the test; and it has not exited.
    const lives = await livesBefore(path);
    expect(lives.find(({ pid }) => pid === process.pid)).toMatchObject({ end: 'clean', exitCode: null });
  });

  it('without a directory there is this life only, and nothing is written', async () => {
    const served = await DiagnosticsApp.start();
    const lives = livesSchema.parse((await httpGet(served.url('/diagnostics/lives'))).json());
    expect(lives).toMatchObject({ current: { end: 'running' }, previous: [] });
    await served.app.close();
  });

  it('the next life says in its log how the one before it ended', async () => {
    await RecordedProcess.start(path, { END: 'exit' }).ended;
    const next = RecordedProcess.start(path);
    await eventually(() => expect(next.errors).toContain('exit code 7'), { timeoutMs: 60_000 });
    expect(next.errors).toMatch(
      /^warn: the life before this one: \S+ crashed with exit code 7, .*; last seen \S+: RSS/,
    );
    await next.kill();
    await eventually(async () => expect((await livesBefore(path))[0]!.end).toBe('killed'));
  });

  it('no file is readable by others', async () => {
    await RecordedProcess.start(path, { END: 'orderly' }).ended;
    const { statSync, readdirSync } = jest.requireActual<typeof import('node:fs')>('node:fs');
    const [name] = readdirSync(path);
    expect(statSync(join(path, name!)).mode & 0o077).toBe(0);
    expect(readFileSync(join(path, name!), 'utf8')).toMatch(/^[\da-f]{8} \{"life":/);
  });
});
