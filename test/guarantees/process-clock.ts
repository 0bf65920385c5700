import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
];
const library = LIBRARIES.find((file) => existsSync(file));

/** How clocks are skewed on this machine; part of the report. */
export const clockMethod =
  library === undefined
    ? '`test/guarantees/skew-clock.cjs` (shifts `Date` of the process)'
    : 'libfaketime (shifts the clock of the whole process)';

/** How a process is started so that it has the clock that it shall have. */
export interface ProcessClock {
  nodeArgs: string[];
  env: Record<string, string>;
}

/** What makes a Node process believe that it is this much later (negative: earlier). Its timers run as fast as ever. */
export function skewedProcess(skewMs: number): ProcessClock {
  if (library === undefined) {
    return { nodeArgs: ['--require', join(__dirname, 'skew-clock.cjs')], env: { CLOCK_SKEW_MS: String(skewMs) } };
  }
  const seconds = (skewMs / 1_000).toFixed(3);
  return {
    nodeArgs: [],
    env: {
      LD_PRELOAD: library,
      FAKETIME: skewMs < 0 ? seconds : `+${seconds}`,
      // Differences of time must stay what they are.
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
  };
}

/**
 * A clock that jumps while its process runs: to as many ms as the file says, within a second of the change.
 * @param file what `setClock` writes
 */
export function settableClock(file: string): ProcessClock {
  setClock(file, 0);
  if (library === undefined) {
    return { nodeArgs: ['--require', join(__dirname, 'skew-clock.cjs')], env: { CLOCK_SKEW_FILE: file } };
  }
  return {
    nodeArgs: [],
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
  };
}

/** Lets the clock of a process that was started with `settableClock` jump. */
export function setClock(file: string, skewMs: number): void {
  writeFileSync(file, `${skewMs < 0 ? '' : '+'}${(skewMs / 1_000).toFixed(3)}\n`);
}

/** Takes away what libfaketime keeps in memory of a process that was killed. */
export function forgetClock(pid: number): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) rmSync(`/dev/shm/${name}`, { force: true });
}
