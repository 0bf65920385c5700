import { Injectable } from '@nestjs/common';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply } from '../contract/commands.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import type { RedisClient } from '../redis/redis-client.js';
import type { RunRecord } from '../runs/run.record.js';
import { RunStore } from '../runs/run-store.js';
import type { ScheduleRecord } from './schedule.record.js';
import { ScheduleStore } from './schedule-store.js';
import { placeTick, tickRunId } from './schedule-ticker.js';
import { TickLedger, type TickLedgerEntry } from './tick-ledger.js';
import { TickTimes } from './tick-times.js';

type Explanation = CommandReply<'schedule.explain'>;

/** Tells what became of one due time of a schedule, and why. */
@Injectable()
export class ScheduleExplanation {
  constructor(
    private readonly store: ScheduleStore,
    private readonly ledger: TickLedger,
    private readonly runs: RunStore,
  ) {}

  /**
   * @throws CommandError NOT_FOUND (no such schedule, or longer ago than the ledger reaches), INVALID_ARGUMENT (not a due time, or not
   * due yet)
   */
  async explain(redis: RedisClient, namespace: string, id: string, instant: number): Promise<Explanation> {
    const { now, record } = await this.store.read(redis, namespace, id);
    if (record === undefined) throw new CommandError('NOT_FOUND', `no schedule ${id}`);
    const entry = await this.ledger.covering(redis, record, instant);
    if (entry === undefined || entry.version === record.version) assertDueTime(record, instant);
    if (entry !== undefined) return this.ofEntry(redis, record, entry, instant);
    if (record.nextTickAt === undefined || instant < record.nextTickAt) {
      throw new CommandError(
        'NOT_FOUND',
        `nothing is known about ${new Date(instant).toISOString()}: longer ago than the ledger reaches, or before the schedule was declared as it is`,
      );
    }
    return pending(record, instant, now);
  }

  private async ofEntry(
    redis: RedisClient,
    record: ScheduleRecord,
    entry: TickLedgerEntry,
    instant: number,
  ): Promise<Explanation> {
    const { outcome } = entry;
    if (outcome === 'skipped' || outcome === 'missed') {
      return { outcome, reasons: [reasonText(entry.reason, record)], agentsConsidered: [] };
    }
    const run = await this.runs.look(redis, record.namespace, tickRunId(record.spec.id, instant));
    const reasons = [outcome === 'late' ? `claimed ${entry.reason} ms after it was due` : 'claimed in time'];
    if (run === undefined || run instanceof BrokenRecordError) {
      reasons.push(run === undefined ? 'its run is not kept any more' : run.message);
      return { outcome, reasons, agentsConsidered: [] };
    }
    return { outcome, reasons: [...reasons, runText(run)], agentsConsidered: considered(run) };
  }
}

function assertDueTime({ spec }: ScheduleRecord, instant: number): void {
  const times = new TickTimes(spec);
  if (times.next(instant - 1) === instant) return;
  const following = times.next(instant);
  throw new CommandError('INVALID_ARGUMENT', `at: ${new Date(instant).toISOString()} is not a due time of ${spec.id}`, {
    nextDueTime: following ?? null,
  });
}

function pending(record: ScheduleRecord, instant: number, now: number): Explanation {
  if (record.pausedAt !== undefined && instant <= now) {
    const why = record.pausedReason === undefined ? '' : `: ${record.pausedReason}`;
    return {
      outcome: 'skipped',
      reasons: [`the schedule is paused${why}; a resume with catchUp may still fire it`],
      agentsConsidered: [],
    };
  }
  const dueAt = placeTick(record, instant)?.dueAt ?? instant;
  if (dueAt > now) throw new CommandError('INVALID_ARGUMENT', `at: ${new Date(dueAt).toISOString()} has not come yet`);
  throw new CommandError('UNAVAILABLE', 'this due time is being dealt with; ask again');
}

function reasonText(reason: string, { spec }: ScheduleRecord): string {
  switch (reason) {
    case 'overlap':
      return `an earlier run was under way, and overlap is ${spec.overlap}`;
    case 'paused':
      return 'the schedule was paused, and resumed without catching up';
    case 'misfire-skip':
      return 'no commander could fire it in time, and misfire is skip';
    case 'misfire-once':
      return 'no commander could fire it in time, and misfire is once: a later one of the same gap was fired';
    case 'catchup-window':
      return 'no commander could fire it within the catch-up window';
    default:
      return reason;
  }
}

function runText({ runId, state, agentId, attempt, error }: RunRecord): string {
  const where = agentId === undefined ? '' : ` on agent ${agentId}, attempt ${attempt}`;
  const why = error === undefined ? '' : `: ${error.code}, ${error.message}`;
  return `run ${runId} is ${state}${where}${why}`;
}

function considered({ agentId, considered: others = [] }: RunRecord): Explanation['agentsConsidered'] {
  const rejected = others
    .filter((other) => other.agentId !== agentId)
    .map(({ agentId: id, reason }) => ({ agentId: id, chosen: false, reason }));
  return agentId === undefined ? rejected : [{ agentId, chosen: true }, ...rejected];
}
