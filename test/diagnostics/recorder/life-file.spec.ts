import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { LifeFile } from '../../../src/diagnostics/recorder/files/life-file';
import { fileSamples, readLife } from '../../../src/diagnostics/recorder/files/life-reader';
import { parsedLines, recordLine } from '../../../src/diagnostics/recorder/files/record-line';
import { EvidenceDirectory, type EvidenceEntry } from '../../../src/diagnostics/recorder/files/evidence-directory';
import type { HistorySample } from '../../../src/contract/recorder.schema';
import { eventually } from '../../support/eventually';
import { directoryOf, lifeFiles, livesBefore, RecordedProcess } from './support/recorded-process';
import { sample } from './support/sample';

let path: string;
beforeEach(() => (path = mkdtempSync(join(tmpdir(), 'recorder-spec-'))));
afterEach(async () => {
  await RecordedProcess.killAll();
  rmSync(path, { recursive: true, force: true });
});

const MiB = 1_048_576;
const life = { id: '20260101T000000-1-abcdef', instance: 'spec', pid: 1, startedAt: 1_000, identity: 'elsewhere' };
const record = (count: number) => ({
  sample: sample({ at: count * 1_000, inFlightCount: count }),
  isNearLimit: false,
  verdicts: [],
});

async function samplesIn(
  directory: string,
  files: readonly EvidenceEntry[],
  maxBytes: number,
): Promise<HistorySample[]> {
  const samples: HistorySample[] = [];
  for await (const batch of fileSamples(directoryOf(directory), files, maxBytes)) samples.push(...batch);
  return samples;
}

class Log {
  readonly lines: string[] = [];
  info = (line: string) => void this.lines.push(`info ${line}`);
  warn = (line: string) => void this.lines.push(`warn ${line}`);
}

describe('a line', () => {
  it('is read as it was written, whatever is torn off or damaged around it', () => {
    const value = fc.jsonValue();
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 8 }),
        fc.nat(400),
        fc.nat(400),
        fc.nat(255),
        (values, from, to, byte) => {
          const whole = Buffer.concat(values.map(recordLine));
          expect(parsedLines(whole)).toEqual(values.map((item) => JSON.parse(JSON.stringify(item))));
          // Cut at both ends: what is read stands in the original, in order and without a gap.
          const part = parsedLines(whole.subarray(from, Math.max(from, whole.length - to))).map((item) =>
            JSON.stringify(item),
          );
          const all = values.map((item) => JSON.stringify(item));
          expect(all.join('\n')).toContain(part.join('\n'));
          if (whole.length === 0) return;
          // One byte changed: at most the lines beside it are lost, and none is misread.
          const damaged = Buffer.from(whole);
          damaged[from % whole.length] = byte;
          const read = parsedLines(damaged).map((item) => JSON.stringify(item));
          expect(read.length).toBeGreaterThanOrEqual(values.length - 2);
          expect(read.every((item) => all.includes(item))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is not read from garbage', () => {
    expect(parsedLines(Buffer.from('\n\n00000000 \nnot a line\n12345678 {"a":1}\n\0\0\0\n'))).toEqual([]);
  });
});

describe('the file of a life', () => {
  const open = (log = new Log(), maxBytes = 16 * MiB) => {
    const file = new LifeFile(new EvidenceDirectory(path, maxBytes), life, log);
    file.start();
    return file;
  };

  it('goes on in a new file when one is full, and keeps the latest within its bytes', async () => {
    const log = new Log();
    const file = open(log, MiB);
    for (let count = 1; count <= 20_000; count++) file.write(record(count));
    file.stop();
    const files = await lifeFiles(path);
    const heldBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(heldBytes).toBeLessThanOrEqual(MiB);
    expect(heldBytes).toBeGreaterThan(MiB / 4);
    for (const { bytes } of files) expect(bytes).toBeLessThanOrEqual(MiB / 16 + 200);
    const samples = await samplesIn(path, files, 16 * MiB);
    expect(samples.map(({ inFlightCount }) => inFlightCount)).toEqual(
      samples.map((_, index) => 20_000 - samples.length + 1 + index),
    );
    // The last of them, where only so many bytes are read; what was cut in two is left out.
    const few = await samplesIn(path, files, 40_000);
    expect(few).toEqual(samples.slice(-few.length));
    expect(few.length).toBeGreaterThan(40);
    expect(await readLife(directoryOf(path), files)).toMatchObject({ header: life, last: record(20_000) });
    expect(log.lines).toEqual([]);
  });

  it('leaves a slow disk alone for a minute, and takes one slow line for a process that stood still', () => {
    const log = new Log();
    let nowMs = 0;
    let lineMs = 1;
    // Asked before and after each line.
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => (nowMs += lineMs));
    try {
      const file = open(log);
      const write = (tookMs: number) => {
        lineMs = tookMs;
        file.write(record(1));
      };
      for (const tookMs of [300, 1, 300, 1]) write(tookMs);
      expect(file.status).toMatchObject({ writtenCount: 4, droppedCount: 0, failing: null });
      write(300);
      write(300);
      expect(file.status.failing).toContain('left alone for 60 s');
      write(1);
      expect(file.status).toMatchObject({ writtenCount: 5, droppedCount: 2 });
      nowMs += 60_000;
      write(1);
      expect(file.status).toMatchObject({ writtenCount: 6, droppedCount: 2, failing: null });
      expect(log.lines).toHaveLength(2);
      file.stop();
    } finally {
      clock.mockRestore();
    }
  });

  it('removes the oldest files of earlier lives, not those of others that may still be written', async () => {
    const old = (name: string) => writeFileSync(join(path, name), Buffer.alloc(300_000));
    old('spec@20250101T000000-1-aaaaaa.0000.life');
    await sleep(20);
    old('spec@20250102T000000-1-bbbbbb.0000.evidence');
    await sleep(20);
    old('other@20250101T000000-1-cccccc.0000.life');
    old('spec@20250103T000000-1-dddddd.0000.life');
    old('notes.txt');
    open(new Log(), MiB).stop();
    const names = (await directoryOf(path).list()).map(({ name }) => name);
    expect(names).toEqual([
      'spec@20250102T000000-1-bbbbbb.0000.evidence',
      'other@20250101T000000-1-cccccc.0000.life',
      'spec@20250103T000000-1-dddddd.0000.life',
      `spec@${life.id}.0000.life`,
    ]);
    expect(existsSync(join(path, 'notes.txt'))).toBe(true);
  });

  it('a full disk is told once, and nothing else happens; what follows is written when there is room', async () => {
    const log = new Log();
    const name = join(path, `spec@${life.id}.0000.life`);
    symlinkSync('/dev/full', name);
    const file = open(log);
    for (let count = 1; count <= 5; count++) file.write(record(count));
    expect(log.lines).toEqual([expect.stringMatching(/^warn the recorder cannot write its file, .*ENOSPC/)]);
    expect(file.status).toEqual({ writtenCount: 0, droppedCount: 5, failing: 'Error (ENOSPC)' });
    file.stop();
  });

  it('a directory that cannot be made is told once, and it is made when it can be', async () => {
    const log = new Log();
    const blocked = join(path, 'blocked');
    writeFileSync(blocked, 'a file in its place');
    const file = new LifeFile(new EvidenceDirectory(join(blocked, 'deeper'), MiB), life, log);
    file.start();
    file.write(record(1));
    file.write(record(2));
    expect(log.lines).toEqual([expect.stringMatching(/^warn the recorder cannot write its file/)]);
    rmSync(blocked);
    file.write(record(3));
    file.stop();
    expect(log.lines.slice(1)).toEqual(['info the recorder writes its file again']);
    const files = await lifeFiles(join(blocked, 'deeper'));
    expect(await readLife(directoryOf(join(blocked, 'deeper')), files)).toMatchObject({
      header: life,
      last: record(3),
    });
  });

  it('a file system that takes no files is told once', () => {
    const log = new Log();
    const file = new LifeFile(new EvidenceDirectory('/proc/evidence', MiB), life, log);
    file.start();
    file.write(record(1));
    file.stop();
    expect(log.lines).toHaveLength(1);
  });

  it('of a damaged file the rest is read', async () => {
    const file = open();
    for (let count = 1; count <= 10; count++) file.write(record(count));
    file.stop();
    const [entry] = await lifeFiles(path);
    const name = join(path, entry!.name);
    const bytes = readFileSync(name);
    bytes.fill(0, 30, 1_500);
    writeFileSync(name, bytes);
    appendFileSync(name, Buffer.concat([Buffer.from([0xff, 0xfe, 0x00]), recordLine(record(11)).subarray(0, 50)]));
    const read = await readLife(directoryOf(path), await lifeFiles(path));
    expect(read).toMatchObject({ header: null, last: record(10) });
    const [told] = await livesBefore(path);
    expect(told).toMatchObject({ id: life.id, end: 'clean', lastSample: { inFlightCount: 10 } });
  });

  it.each([
    ['nothing in it', ''],
    ['garbage in it', '\0'.repeat(100_000)],
  ])('a life whose file has %s ended in an unknown way', async (_what, content) => {
    writeFileSync(join(path, 'spec@20250101T000000-1-aaaaaa.0000.life'), content);
    // No file at all, although it is called so.
    mkdirSync(join(path, 'spec@20250102T000000-1-bbbbbb.0000.life'));
    expect(await livesBefore(path)).toEqual([
      expect.objectContaining({ id: '20250101T000000-1-aaaaaa', end: 'unknown', lastSample: null, verdicts: [] }),
    ]);
  });
});

describe('SIGKILL at any instant', () => {
  const KILLS = 100;
  const AT_ONCE = 4;

  it('loses at most the record of that instant and damages none, 100 times', async () => {
    let killed = 0;
    const lost = { none: 0, one: 0 };
    const killOne = async (): Promise<void> => {
      const directory = join(path, String(killed));
      killed += 1;
      const child = RecordedProcess.start(directory, { INTERVAL_MS: '10' });
      await eventually(() => child.announcedCount > 0, { timeoutMs: 60_000, what: `a record; ${child.errors}` });
      await sleep(Math.random() * 300);
      await child.kill();
      const samples = await samplesIn(directory, await lifeFiles(directory), 16 * MiB);
      const numbers = samples.map(({ inFlightCount }) => inFlightCount);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      expect(numbers.length).toBeGreaterThanOrEqual(child.announcedCount - 1);
      lost[numbers.length === child.announcedCount ? 'none' : 'one'] += 1;
      const [life] = await livesBefore(directory);
      expect(life).toMatchObject({ end: 'killed', exitCode: null });
      expect(life!.lastSample?.inFlightCount ?? 0).toBe(numbers.length);
    };
    const worker = async (): Promise<void> => {
      while (killed < KILLS) await killOne();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(lost.none + lost.one).toBe(KILLS);
  }, 600_000);
});
