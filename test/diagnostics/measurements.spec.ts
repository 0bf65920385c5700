import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ActiveResourcesMeasurement } from '../../src/diagnostics/measurements/active-resources.measurement';
import { CpuMeasurement } from '../../src/diagnostics/measurements/cpu.measurement';
import { EventLoopDelayMeasurement } from '../../src/diagnostics/measurements/event-loop-delay.measurement';
import { EventLoopUtilizationMeasurement } from '../../src/diagnostics/measurements/event-loop-utilization.measurement';
import { GcMeasurement } from '../../src/diagnostics/measurements/gc.measurement';
import { HeapSpacesMeasurement } from '../../src/diagnostics/measurements/heap-spaces.measurement';
import { HeapMeasurement } from '../../src/diagnostics/measurements/heap.measurement';
import { MemoryMeasurement } from '../../src/diagnostics/measurements/memory.measurement';
import { OpenFdsMeasurement } from '../../src/diagnostics/measurements/open-fds.measurement';
import { memoryLimitBytes } from '../../src/ledger/process/memory-limit';
import { countByListing } from '../../src/ledger/process/open-descriptors';
import { ProcessMeasurement } from '../../src/diagnostics/measurements/process.measurement';
import { MIN_WINDOW_MS, ReadWindow } from '../../src/diagnostics/read-window';
import { eventually } from '../support/eventually';
import { forceGc } from '../support/force-gc';
import { settledBytes } from '../support/settled-bytes';

const MIB = 1_024 * 1_024;
const gc = forceGc();

function blockFor(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}

describe('heap', () => {
  it('follows what is allocated and let go of', () => {
    const heap = new HeapMeasurement();
    gc();
    const before = heap.read();
    let held: unknown[] | undefined = Array.from({ length: 20 }, () => new Array<number>(MIB / 8).fill(1.5));
    const during = heap.read();
    expect(held).toHaveLength(20);
    expect(during.usedBytes - before.usedBytes).toBeGreaterThan(18 * MIB);
    expect(during.usedRatio).toBeGreaterThan(before.usedRatio);
    held = undefined;
    gc();
    expect(during.usedBytes - heap.read().usedBytes).toBeGreaterThan(18 * MIB);
    expect(during.usedBytes).toBeLessThanOrEqual(during.totalBytes);
    expect(during.totalBytes).toBeLessThan(during.limitBytes);
  });

  it('puts big arrays into the large object space', () => {
    const spaces = new HeapSpacesMeasurement();
    const used = () =>
      spaces.read()['large_object_space']!.usedBytes + spaces.read()['new_large_object_space']!.usedBytes;
    const before = used();
    const held = Array.from({ length: 10 }, () => new Array<number>(MIB / 8).fill(1.5));
    expect(used() - before).toBeGreaterThan(9 * MIB);
    expect(held).toHaveLength(10);
  });

  it('splits by space what it counts as a whole', () => {
    // Nothing is collected between the two reads.
    gc();
    const total = Object.values(new HeapSpacesMeasurement().read()).reduce((sum, { usedBytes }) => sum + usedBytes, 0);
    const { usedBytes } = new HeapMeasurement().read();
    // The two are read one after the other, and the first read allocates.
    expect(Math.abs(total - usedBytes)).toBeLessThan(MIB);
  });
});

describe('memory', () => {
  it('sees buffers that are filled, outside the heap', async () => {
    const memory = new MemoryMeasurement();
    // Those of the tests before must be gone.
    await settledBytes(() => memory.read().externalBytes);
    const before = memory.read();
    let held: Buffer[] | undefined = Array.from({ length: 32 }, () => Buffer.alloc(MIB, 1));
    const during = memory.read();
    expect(held).toHaveLength(32);
    // Other buffers may have been collected meanwhile.
    expect(during.externalBytes - before.externalBytes).toBeGreaterThanOrEqual(31 * MIB);
    expect(during.arrayBuffersBytes - before.arrayBuffersBytes).toBeGreaterThanOrEqual(31 * MIB);
    held = undefined;
    await eventually(() => {
      gc();
      expect(memory.read().externalBytes).toBeLessThan(during.externalBytes - 30 * MIB);
    });
  });

  it('sees memory that is touched', () => {
    const memory = new MemoryMeasurement();
    const before = memory.read();
    // Above glibc's highest threshold, so that it comes from the kernel and not from what was freed before.
    const held = Buffer.alloc(64 * MIB, 1);
    expect(memory.read().rssBytes - before.rssBytes).toBeGreaterThan(32 * MIB);
    expect(held).toHaveLength(64 * MIB);
  });

  it('knows the peak and the machine', () => {
    const { rssBytes, peakRssBytes, machineTotalBytes, availableBytes, limitBytes, usedRatio } =
      new MemoryMeasurement().read();
    expect(peakRssBytes).toBeGreaterThan(rssBytes / 2);
    expect(machineTotalBytes).toBeGreaterThan(peakRssBytes);
    expect(availableBytes).toBeGreaterThan(0);
    expect(usedRatio === null).toBe(limitBytes === null);
  });

  it.each([
    ['not told', undefined, null],
    ['unknown', 0, null],
    ['unlimited, cgroup 1', 9_223_372_036_854_771_712, null],
    ['unlimited, cgroup 2', 2 ** 64, null],
    ['more than the machine has', 9 * 1_024 * MIB, null],
    ['192 MiB', 192 * MIB, 192 * MIB],
    ['all the machine has', 8 * 1_024 * MIB, 8 * 1_024 * MIB],
  ])('tells a limit that is %s', (_what, constrained, limit) => {
    expect(memoryLimitBytes(constrained, 8 * 1_024 * MIB)).toBe(limit);
  });
});

describe('activeResources', () => {
  it('counts what keeps the loop alive, by type, and leaves out what is unref’d', async () => {
    const resources = new ActiveResourcesMeasurement();
    const before = resources.read();
    const timers = Array.from({ length: 7 }, () => setTimeout(() => undefined, 60_000));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const during = resources.read();
    expect(during.countByType['Timeout']! - (before.countByType['Timeout'] ?? 0)).toBe(7);
    expect(during.countByType['TCPServerWrap']! - (before.countByType['TCPServerWrap'] ?? 0)).toBe(1);
    expect(during.totalCount).toBe(Object.values(during.countByType).reduce((sum, count) => sum + count, 0));

    for (const timer of timers) timer.unref();
    server.unref();
    const after = resources.read().countByType;
    expect(after['Timeout'] ?? 0).toBe(before.countByType['Timeout'] ?? 0);
    expect(after['TCPServerWrap'] ?? 0).toBe(before.countByType['TCPServerWrap'] ?? 0);
    for (const timer of timers) clearTimeout(timer);
    server.close();
  });
});

describe('openFds', () => {
  it('counts files opened and closed', () => {
    const openFds = new OpenFdsMeasurement();
    const before = openFds.read();
    const files = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'));
    const during = openFds.read();
    for (const file of files) closeSync(file);
    expect(during.openCount! - before.openCount!).toBe(20);
    expect(during.usedRatio).toBeGreaterThanOrEqual(during.openCount! / during.limitCount! - 0.001);
    expect(openFds.read().openCount).toBe(before.openCount);
    expect(during.limitCount).toBeGreaterThan(during.openCount!);
  });

  it('counts the same on kernels that have to be asked for the list', () => {
    expect(countByListing('/proc/self/fd')).toBe(new OpenFdsMeasurement().read().openCount);
  });

  it('answers null where there is no /proc', () => {
    expect(new OpenFdsMeasurement('/proc/no-such-process').read()).toEqual({
      openCount: null,
      limitCount: null,
      usedRatio: null,
    });
  });
});

describe('eventLoopDelay', () => {
  const clock = { offsetMs: 0, now: () => performance.now() + clock.offsetMs };
  let delay: EventLoopDelayMeasurement;

  beforeEach(() => {
    delay = new EventLoopDelayMeasurement(clock.now);
    delay.start();
  });

  afterEach(() => delay.stop());

  it('sees a block of 200 ms', async () => {
    await eventually(() => delay.read().samplesCount > 2);
    blockFor(200);
    await sleep(50);
    expect(delay.read().maxMs).toBeGreaterThanOrEqual(150);
  });

  it('does not count its own period as delay', async () => {
    await eventually(async () => {
      delay.stop();
      delay.start();
      await sleep(200);
      // Half of the samples of a machine that is not overloaded come within milliseconds.
      expect(delay.read().p50Ms).toBeLessThan(15);
    });
  });

  it('has no figures before its first sample, and none when stopped', () => {
    expect(delay.read()).toMatchObject({ samplesCount: 0, meanMs: null, p50Ms: null, p99Ms: null, maxMs: null });
    delay.stop();
    expect(() => delay.read()).toThrow('not started');
  });

  it('loses no block to the reader before, and forgets it two windows later', async () => {
    await sleep(100);
    clock.offsetMs += MIN_WINDOW_MS;
    delay.read();
    blockFor(200);
    await sleep(50);
    expect(delay.read().maxMs).toBeGreaterThanOrEqual(150);
    await eventually(async () => {
      await sleep(100);
      clock.offsetMs += MIN_WINDOW_MS;
      expect(delay.read().maxMs).toBeLessThan(100);
    });
  });
});

describe('eventLoopUtilization and cpu', () => {
  it('see a loop that is busy', async () => {
    const utilization = new EventLoopUtilizationMeasurement();
    await sleep(1);
    blockFor(800);
    await sleep(1);
    const busy = utilization.read();
    expect(busy.activeMs).toBeGreaterThan(750);
    expect(busy.utilizationRatio).toBeGreaterThan(0.5);
    expect(busy.utilizationRatio).toBeLessThanOrEqual(1);
    await sleep(600);
    const calmer = utilization.read();
    expect(calmer.idleMs).toBeGreaterThan(busy.idleMs + 250);
    expect(calmer.utilizationRatio).toBeLessThan(busy.utilizationRatio);
  });

  it('see the processor time that is used', () => {
    const cpu = new CpuMeasurement();
    const before = cpu.read();
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user + process.cpuUsage(start).system < 200_000);
    const after = cpu.read();
    expect(after.userMs + after.systemMs - before.userMs - before.systemMs).toBeGreaterThanOrEqual(199);
    expect(after.usedRatio * after.windowMs).toBeGreaterThanOrEqual(190);
  });
});

describe('gc', () => {
  it('counts collections by kind while it is started', async () => {
    const collections = new GcMeasurement();
    const counts = () => {
      const { totalCount, minor, major } = collections.read();
      return { totalCount, minor: minor.count, major: major.count };
    };
    const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
    gc();
    await nextTurn();
    expect(counts()).toEqual({ totalCount: 0, minor: 0, major: 0 });

    collections.start();
    const before = counts();
    for (let times = 0; times < 3; times++) gc();
    for (let times = 0; times < 5; times++) gc({ type: 'minor' });
    await eventually(() => {
      expect(counts().major - before.major).toBeGreaterThanOrEqual(3);
      expect(counts().minor - before.minor).toBeGreaterThanOrEqual(5);
    });
    const { totalMs, major, minor, totalCount, incremental, weakCallbacks } = collections.read();
    expect(major.totalMs).toBeGreaterThan(0);
    expect(major.maxMs).toBeLessThanOrEqual(major.totalMs);
    expect(totalMs).toBeGreaterThanOrEqual(major.totalMs);
    expect(totalCount).toBe(major.count + minor.count + incremental.count + weakCallbacks.count);

    collections.stop();
    const stopped = counts();
    gc();
    await nextTurn();
    expect(counts()).toEqual(stopped);
  });
});

describe('process', () => {
  it('tells which process answers', async () => {
    const measurement = new ProcessMeasurement();
    const before = measurement.read();
    expect(before).toMatchObject({ pid: process.pid, nodeVersion: process.versions.node, arch: process.arch });
    expect(Math.abs(before.startedAt + before.uptimeMs - Date.now())).toBeLessThan(60_000);
    await sleep(5);
    expect(measurement.read().uptimeMs).toBeGreaterThan(before.uptimeMs);
  });
});

describe('the window of figures since the last read', () => {
  it('shows two readers the same stretch, and at least its minimum', () => {
    let nowMs = 0;
    const window = new ReadWindow(
      () => nowMs,
      () => nowMs,
    );
    const read = (atMs: number) => {
      nowMs = atMs;
      return window.read((sinceMs, windowMs) => {
        expect(windowMs).toBe(atMs - sinceMs);
        return windowMs;
      });
    };
    expect(read(1_000)).toBe(1_000);
    expect(read(1_001)).toBe(1_001);
    expect(read(30_000)).toBe(30_000);
    // The stage that began with the read before is too young: a second reader sees the first one's stretch.
    expect(read(30_001)).toBe(30_001);
    expect(read(45_000)).toBe(45_000);
    expect(read(45_001)).toBe(15_001);
    // From here on never less than the minimum, however often somebody reads.
    for (let atMs = 45_002; atMs < 120_000; atMs += 777) {
      const windowMs = read(atMs);
      expect(windowMs).toBeGreaterThanOrEqual(MIN_WINDOW_MS);
      expect(windowMs).toBeLessThan(3 * MIN_WINDOW_MS);
    }
  });
});
