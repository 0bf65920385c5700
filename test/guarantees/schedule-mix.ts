import type { ScheduleSpecInput } from '../../src/contract/schedule.schema.js';
import type { SeededRandom } from './seeded-random.js';

/** How the payload of the agent program (`agent-process.cjs`) orders a handler to behave. */
interface WorkOrder {
  /** The handler takes from … to so many ms; which, the run's id decides. */
  ms?: [number, number];
  fail?: 'never' | 'always' | 'first-attempt' | 'half' | 'flapping';
}

/** One schedule of the run. */
export interface MixedSchedule {
  kind: string;
  spec: ScheduleSpecInput;
  /** Is declared with another payload at every boot; its due times stay what they are. */
  isRedeclared: boolean;
  /** Is paused and resumed now and then. */
  isPaused: boolean;
}

interface Window {
  startAt: number;
  endAt: number;
}

interface Kind {
  name: string;
  count: number;
  isRedeclared?: boolean;
  isPaused?: boolean;
  spec: (number: number, window: Window, random: SeededRandom) => Partial<ScheduleSpecInput> & { work?: WorkOrder };
}

const FAST: WorkOrder = { ms: [0, 20] };
const SLOW: WorkOrder = { ms: [700, 1_600] };
const ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia', 'UTC'];

const KINDS: readonly Kind[] = [
  { name: 'every 250 ms', count: 3, spec: () => ({ everyMs: 250, misfire: 'all', work: FAST }) },
  { name: 'every second', count: 4, spec: () => ({ everyMs: 1_000, work: { ms: [100, 400] } }) },
  { name: 'cron, per second', count: 4, spec: () => ({ cron: '* * * * * *', misfire: 'all', work: FAST }) },
  {
    name: 'cron, per 5 s, six zones',
    count: 8,
    spec: (number) => ({ cron: '*/5 * * * * *', timezone: ZONES[number % ZONES.length], work: FAST }),
  },
  {
    name: 'at',
    count: 6,
    spec: (_number, { startAt, endAt }, random) => ({
      // An instant that is over before it is declared is refused.
      at: random.between(Math.min(startAt + 10_000, endAt), endAt),
      misfire: 'all',
      work: FAST,
    }),
  },
  {
    name: 'startAt and endAt',
    count: 5,
    spec: (_number, { startAt, endAt }, random) => ({
      everyMs: 2_000,
      startAt: startAt + random.between(0, 8_000),
      endAt: endAt - random.between(0, 8_000),
      work: FAST,
    }),
  },
  { name: 'maxRuns', count: 5, spec: (number) => ({ everyMs: 1_000, maxRuns: 10 + number * 3, work: FAST }) },
  { name: 'jitter', count: 6, spec: () => ({ everyMs: 4_000, jitterMs: 2_000, misfire: 'all', work: FAST }) },
  {
    name: 'overlap skip',
    count: 4,
    spec: () => ({ everyMs: 1_000, overlap: 'skip', misfire: 'all', work: SLOW }),
  },
  {
    name: 'overlap buffer-one',
    count: 4,
    spec: () => ({ everyMs: 1_000, overlap: 'buffer-one', misfire: 'all', work: SLOW }),
  },
  {
    name: 'overlap cancel-previous',
    count: 4,
    spec: () => ({ everyMs: 1_000, overlap: 'cancel-previous', misfire: 'all', work: SLOW }),
  },
  { name: 'misfire skip', count: 5, spec: () => ({ everyMs: 2_000, misfire: 'skip', work: FAST }) },
  { name: 'misfire once', count: 5, spec: () => ({ everyMs: 2_000, misfire: 'once', work: FAST }) },
  {
    name: 'misfire all, short catch-up window',
    count: 4,
    spec: () => ({ everyMs: 2_000, misfire: 'all', catchupWindowMs: 4_000, work: FAST }),
  },
  { name: 'every 10 s', count: 4, spec: () => ({ everyMs: 10_000, misfire: 'all', work: SLOW }) },
  {
    name: 'broadcast',
    count: 3,
    spec: () => ({ everyMs: 5_000, misfire: 'all', route: { strategy: 'broadcast' }, work: { ms: [0, 300] } }),
  },
  {
    name: 'shard',
    count: 2,
    spec: () => ({ everyMs: 5_000, misfire: 'all', route: { strategy: 'shard' }, work: { ms: [0, 300] } }),
  },
  {
    name: 'sticky, labels, least-loaded',
    count: 6,
    spec: (number) => ({
      everyMs: 2_000,
      route: [
        { strategy: 'sticky' as const },
        { strategy: 'random' as const, labels: { zone: 'a' } },
        { strategy: 'least-loaded' as const },
      ][number % 3],
      work: { ms: [0, 300] },
    }),
  },
  {
    name: 'failing, retried',
    count: 4,
    spec: (number) => ({
      everyMs: 2_000,
      retry: { maxAttempts: 3, delayMs: 200, maxDelayMs: 1_000 },
      work: { ms: [0, 100], fail: number % 2 === 0 ? 'first-attempt' : 'flapping' },
    }),
  },
  {
    name: 'failing, for good',
    count: 2,
    spec: () => ({ everyMs: 5_000, retry: { maxAttempts: 2, delayMs: 200 }, work: { fail: 'half' } }),
  },
  {
    name: 'timed out',
    count: 2,
    spec: () => ({ everyMs: 5_000, timeoutMs: 1_000, retry: { maxAttempts: 1 }, work: { ms: [500, 1_800] } }),
  },
  {
    name: 'shared result key',
    count: 3,
    spec: () => ({ everyMs: 1_000, resultKey: 'shared', work: { ms: [0, 2_500] } }),
  },
  {
    name: 'paused and resumed',
    count: 4,
    isPaused: true,
    spec: () => ({ everyMs: 1_000, work: FAST }),
  },
  {
    name: 're-declared with another payload',
    count: 3,
    isRedeclared: true,
    spec: () => ({ everyMs: 1_000, work: FAST }),
  },
];

/** Hundred schedules of every kind. `window`: when the disturbances are. */
export function mixedSchedules(window: Window, random: SeededRandom): MixedSchedule[] {
  return KINDS.flatMap(({ name, count, isRedeclared = false, isPaused = false, spec }) =>
    Array.from({ length: count }, (_, number) => {
      const id = `${name.replace(/[^a-z0-9]+/gi, '-')}-${number}`;
      const { work = {}, ...declared } = spec(number, window, random);
      return {
        kind: name,
        isRedeclared,
        isPaused,
        spec: {
          id,
          resultKey: id,
          timeoutMs: 5_000,
          retry: { maxAttempts: 3, delayMs: 300, maxDelayMs: 1_000 },
          job: { name: 'work', payload: work as Record<string, never> },
          ...declared,
        },
      };
    }),
  );
}

/** The declaration as one boot of the declaring app has it. */
export function declarationOf({ spec, isRedeclared }: MixedSchedule, boot: number): ScheduleSpecInput {
  if (!isRedeclared) return spec;
  const payload = { ...(spec.job.payload as object), boot } as unknown as Record<string, never>;
  return { ...spec, job: { ...spec.job, payload } };
}
