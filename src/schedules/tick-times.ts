import { CommandError } from '../contract/command-error.js';
import { CronExpression } from './cron-expression.js';
import { CronTicks } from './cron-ticks.js';
import { ZoneOffsets } from './zone-offsets.js';

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
  /** Only of a cron expression. */
  readonly cron?: CronTicks;

  /** @throws CommandError INVALID_ARGUMENT for a cron expression or zone that does not exist */
  constructor(private readonly timing: Timing) {
    const zone = knownZone(timing.timezone);
    if (timing.cron !== undefined) this.cron = new CronTicks(parseCron(timing.cron), zone);
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
    if (this.cron !== undefined) return this.cron.next(after);
    if (everyMs !== undefined) {
      const anchor = startAt ?? 0;
      return anchor + (Math.floor((after - anchor) / everyMs) + 1) * everyMs;
    }
    return at !== undefined && at > after ? at : undefined;
  }
}

const MAX_CACHED = 1_000;
const parsed = new Map<string, CronExpression>();

/**
 * Parsing costs more than asking; schedules often share an expression. The cache forgets the oldest beyond its cap.
 * @throws CommandError INVALID_ARGUMENT for what is no expression
 */
function parseCron(text: string): CronExpression {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  if (!/^\s*\S+(\s+\S+){4,5}\s*$/.test(text)) {
    throw new CommandError('INVALID_ARGUMENT', `cron: expected 5 or 6 fields, got ${JSON.stringify(text)}`);
  }
  let expression: CronExpression;
  try {
    expression = new CronExpression(text);
  } catch (error) {
    throw new CommandError('INVALID_ARGUMENT', `cron: ${(error as Error).message}`);
  }
  if (parsed.size >= MAX_CACHED) parsed.delete(parsed.keys().next().value as string);
  parsed.set(text, expression);
  return expression;
}

/** @throws CommandError INVALID_ARGUMENT for a zone that does not exist */
function knownZone(timezone: string): ZoneOffsets {
  try {
    return ZoneOffsets.of(timezone);
  } catch {
    throw new CommandError('INVALID_ARGUMENT', `timezone: ${JSON.stringify(timezone)} is not an IANA zone`);
  }
}
