import type { Verdict } from '../../src/contract/verdict.schema.js';
import type { Look, Observation } from '../../leaklab/runner/observation.js';
import type { Scenario } from '../../leaklab/runner/scenario.js';

/** A scenario whose line 10, in `handle` (lines 8 to 14), leaks one per request. */
export const scenario: Scenario = {
  id: '99-made-up',
  file: '/lab/99-made-up.cjs',
  row: '99',
  class: 'H',
  title: 'made up',
  read: 'nowhere',
  load: { rate: 10, connections: 'kept' },
  perCommand: 1,
  seconds: { all: 60 },
  needs: [],
  memoryMiB: 512,
  cost: false,
  plant: { file: '/lab/99-made-up.cjs', line: 10, function: { name: 'handle', firstLine: 8, lastLine: 14 } },
};

export function verdict(over: Partial<Verdict> = {}): Verdict {
  return {
    id: 'one',
    state: 'leaking',
    subject: 'group',
    kind: 'ioredis.client',
    site: { file: 'leaklab/99-made-up.cjs', line: 10, column: 3, function: 'handle' },
    precision: 'line',
    live: 100,
    ratePerSecond: 10,
    sinceMs: 0,
    confidence: 0.9,
    reasons: [],
    sentence: 'it leaks',
    ...over,
  };
}

/** A look each second, ten requests a second, 1 MiB more each second. */
export function look(second: number, verdicts: Verdict[] = [], over: Partial<Look> = {}): Look {
  return {
    atMs: second * 1_000,
    commands: second * 10,
    rssBytes: (50 + second) * 2 ** 20,
    usedBytes: (40 + second) * 2 ** 20,
    fds: 20 + second * 10,
    state: verdicts.some(({ state }) => state === 'leaking') ? 'leaking' : 'not-leaking',
    heapBytes: 20 * 2 ** 20,
    verdicts,
    ...over,
  };
}

export function observation(looks: Look[], diedAtMs: number | null = null): Observation {
  return { looks, diedAtMs, cpuMs: 1_000, ledgerCpuMs: 10, ledgerBytes: 1_000, errors: {} };
}
