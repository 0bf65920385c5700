import { Cron } from 'croner';
import { CommandError } from '../contract/command-error.js';

/** What decides when a schedule is due. Instants in ms since the epoch. */
export interface Timing {
  cron?: string;
  everyMs?: number;
  at?: number;
  timezone: string;
  startAt?: number;
  endAt?: number;
}

/** The ticks of one timing: pure arithmetic, the same on every replica. */
export class TickTimes {
  private readonly cron?: Cron;

  /** @throws CommandError INVALID_ARGUMENT for a cron expression or zone that does not exist */
  constructor(private readonly timing: Timing) {
    assertZone(timing.timezone);
    if (timing.cron !== undefined) this.cron = parseCron(timing.cron, timing.timezone);
  }

  /** The first tick strictly after an instant; undefined when none will ever come. */
  next(after: number): number | undefined {
    const { startAt, endAt } = this.timing;
    const from = startAt === undefined ? after : Math.max(after, startAt - 1);
    const tick = this.unbounded(from);
    return tick === undefined || (endAt !== undefined && tick > endAt) ? undefined : tick;
  }

  private unbounded(after: number): number | undefined {
    const { everyMs, at, startAt } = this.timing;
    if (this.cron !== undefined) return this.cron.nextRun(new Date(after))?.getTime();
    if (everyMs !== undefined) {
      const anchor = startAt ?? 0;
      return anchor + (Math.floor((after - anchor) / everyMs) + 1) * everyMs;
    }
    return at !== undefined && at > after ? at : undefined;
  }
}

const MAX_CACHED = 1_000;
const parsed = new Map<string, Cron>();

/** Parsing costs more than asking; schedules often share an expression. The cache forgets the oldest beyond its cap. */
function parseCron(expression: string, timezone: string): Cron {
  const key = `${timezone} ${expression}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  if (!/^\s*\S+(\s+\S+){4,5}\s*$/.test(expression)) {
    throw new CommandError('INVALID_ARGUMENT', `cron: expected 5 or 6 fields, got ${JSON.stringify(expression)}`);
  }
  let cron: Cron;
  try {
    cron = new Cron(expression, { timezone, paused: true, mode: '5-or-6-parts' });
  } catch (error) {
    throw new CommandError('INVALID_ARGUMENT', `cron: ${(error as Error).message}`);
  }
  if (parsed.size >= MAX_CACHED) parsed.delete(parsed.keys().next().value as string);
  parsed.set(key, cron);
  return cron;
}

function assertZone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    throw new CommandError('INVALID_ARGUMENT', `timezone: ${JSON.stringify(timezone)} is not an IANA zone`);
  }
}
