import type { Redis } from 'ioredis';

const PREFIX = '{commander}';
const NAMESPACE = 'default';
const BATCH_COUNT = 500;

/** Final states, as the records spell them. */
export const FINAL_STATES: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled', 'timed-out']);

/** A run as its record says, times by Redis' clock. */
export interface RunFacts {
  runId: string;
  scheduleId?: string;
  parentId?: string;
  tickAt?: number;
  state: string;
  epoch: number;
  attempt: number;
  agentId?: string;
  createdAt: number;
  startedAt?: number;
  finishedAt?: number;
  resultKey?: string;
  /** Which execution made the result, and under which epoch it began. */
  execution?: string;
  executionEpoch?: number;
  isDivided: boolean;
}

/** One line of a schedule's tick ledger. */
export interface LedgerEntry {
  from: number;
  to: number;
  count: number;
  outcome: string;
  reason: string;
}

export interface ScheduleFacts {
  createdAt: number;
  nextTickAt?: number;
  pausedAt?: number;
  counts: { fired: number; late: number; skipped: number; missed: number };
  ledger: LedgerEntry[];
}

/** What the commanders have written, read past them. */
export class Records {
  constructor(private readonly redis: Redis) {}

  async redisVersion(): Promise<string> {
    return /redis_version:(\S+)/.exec(await this.redis.info('server'))?.[1] ?? 'unknown';
  }

  /** Members of the due index that stand for runs, as run ids. */
  async openRunIds(): Promise<string[]> {
    const members = await this.redis.zrange(`${PREFIX}:due`, 0, '-1');
    return members.filter((member) => member.startsWith(`r|${NAMESPACE}|`)).map((member) => member.split('|')[2]);
  }

  async allRunIds(): Promise<string[]> {
    return this.redis.zrange(`${PREFIX}:runs:${NAMESPACE}`, 0, '-1');
  }

  async runs(runIds: readonly string[]): Promise<RunFacts[]> {
    const found: RunFacts[] = [];
    for (let at = 0; at < runIds.length; at += BATCH_COUNT) {
      const pipeline = this.redis.pipeline();
      for (const runId of runIds.slice(at, at + BATCH_COUNT)) pipeline.hgetall(`${PREFIX}:run:${NAMESPACE}:${runId}`);
      for (const [error, fields] of (await pipeline.exec()) ?? []) {
        if (error) throw error;
        const run = runFacts(fields as Record<string, string>);
        if (run !== undefined) found.push(run);
      }
    }
    return found;
  }

  /** Everything that is written about a run, as JSON: for a run that is stuck. */
  async everythingAbout(runId: string): Promise<string> {
    const { redis } = this;
    const record = await redis.hgetall(`${PREFIX}:run:${NAMESPACE}:${runId}`);
    const engine = `${PREFIX}:engine`;
    const job = `${NAMESPACE}~${runId}~${record.enqueues}`;
    return JSON.stringify({
      now: Date.now(),
      record,
      dueAt: await redis.zscore(`${PREFIX}:due`, `r|${NAMESPACE}|${runId}`),
      job: await redis.hgetall(`${engine}:${job}`),
      lockMs: await redis.pttl(`${engine}:${job}:lock`),
      inWait: await redis.lpos(`${engine}:wait`, job),
      inActive: await redis.lpos(`${engine}:active`, job),
      inFailed: await redis.zscore(`${engine}:failed`, job),
      inCompleted: await redis.zscore(`${engine}:completed`, job),
    });
  }

  /** State and epoch of runs, in their order; undefined where there is no record. */
  async standings(
    runIds: readonly string[],
  ): Promise<({ state: string; epoch: number; isDivided: boolean } | undefined)[]> {
    const pipeline = this.redis.pipeline();
    for (const runId of runIds) pipeline.hmget(`${PREFIX}:run:${NAMESPACE}:${runId}`, 'state', 'epoch', 'parts');
    return ((await pipeline.exec()) ?? []).map(([error, row]) => {
      if (error) throw error;
      const [state, epoch, parts] = row as (string | null)[];
      return state === null ? undefined : { state, epoch: Number(epoch), isDivided: parts !== null };
    });
  }

  /** The ticks that schedules wait for, and when they are due; without those that are paused or have ended. */
  async pendingTicks(ids: readonly string[]): Promise<Map<string, { tickAt: number; dueAt: number }>> {
    const pipeline = this.redis.pipeline();
    for (const id of ids)
      pipeline.hmget(`${PREFIX}:schedule:${NAMESPACE}:${id}`, 'nextTickAt', 'nextDueAt', 'pausedAt');
    const pending = new Map<string, { tickAt: number; dueAt: number }>();
    ((await pipeline.exec()) ?? []).forEach(([error, row], index) => {
      if (error) throw error;
      const [tickAt, dueAt, pausedAt] = row as (string | null)[];
      if (tickAt !== null && pausedAt === null)
        pending.set(ids[index], { tickAt: Number(tickAt), dueAt: Number(dueAt) });
    });
    return pending;
  }

  async schedule(id: string): Promise<ScheduleFacts | undefined> {
    const fields = await this.redis.hgetall(`${PREFIX}:schedule:${NAMESPACE}:${id}`);
    if (fields.createdAt === undefined) return undefined;
    const lines = await this.redis.zrange(`${PREFIX}:ticks-of:${NAMESPACE}:${id}`, 0, '-1');
    const countOf = (name: string) => Number(fields[name] ?? 0);
    return {
      createdAt: Number(fields.createdAt),
      nextTickAt: numberOf(fields.nextTickAt),
      pausedAt: numberOf(fields.pausedAt),
      counts: {
        fired: countOf('fired'),
        late: countOf('late'),
        skipped: countOf('skipped'),
        missed: countOf('missed'),
      },
      ledger: withNewest(lines, fields.lastTicks).map((line) => {
        const [from, to, count, outcome, reason] = line.split('|');
        return { from: Number(from), to: Number(to), count: Number(count), outcome, reason };
      }),
    };
  }

  /** Takes some of the due index away. @returns how many members */
  async deleteDueMembers(choose: (members: string[]) => string[]): Promise<number> {
    const chosen = choose(await this.redis.zrange(`${PREFIX}:due`, 0, '-1'));
    return chosen.length === 0 ? 0 : this.redis.zrem(`${PREFIX}:due`, ...chosen);
  }

  /** Takes some of the engine's keys away. @returns how many */
  async deleteEngineKeys(choose: (keys: string[]) => string[]): Promise<number> {
    const keys: string[] = [];
    let cursor = '0';
    do {
      const [next, page] = await this.redis.scan(cursor, 'MATCH', `${PREFIX}:engine:*`, 'COUNT', 5_000);
      cursor = next;
      keys.push(...page);
    } while (cursor !== '0');
    const chosen = choose([...new Set(keys)].sort());
    return chosen.length === 0 ? 0 : this.redis.del(...chosen);
  }
}

function runFacts(fields: Record<string, string>): RunFacts | undefined {
  if (fields.runId === undefined) return undefined;
  const result = fields.result === undefined ? undefined : (JSON.parse(fields.result) as unknown);
  const made = typeof result === 'object' && result !== null ? (result as { execution?: string; epoch?: number }) : {};
  return {
    runId: fields.runId,
    scheduleId: fields.scheduleId,
    parentId: fields.parentId,
    tickAt: numberOf(fields.tickAt),
    state: fields.state,
    epoch: Number(fields.epoch),
    attempt: Number(fields.attempt),
    agentId: fields.agentId,
    createdAt: Number(fields.createdAt),
    startedAt: numberOf(fields.startedAt),
    finishedAt: numberOf(fields.finishedAt),
    resultKey: fields.resultKey,
    execution: made.execution,
    executionEpoch: made.epoch,
    isDivided: fields.parts !== undefined,
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** It moves to the ledger at some time; between two reads it may do so. */
function withNewest(lines: readonly string[], newest: string | undefined): readonly string[] {
  const isThere = lines.some((line) => line.split('|', 1)[0] === newest?.split('|', 1)[0]);
  return newest === undefined || isThere ? lines : [...lines, newest];
}
