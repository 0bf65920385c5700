import { setTimeout as sleep } from 'node:timers/promises';
import { readAgentLog } from '../guarantees/agent-log.js';
import type { Declared } from '../guarantees/declaring-app.js';
import { Journal, type Recovery } from '../guarantees/journal.js';
import { FINAL_STATES, Records, type RunFacts, type ScheduleFacts } from '../guarantees/records.js';
import { watchRecovery } from '../guarantees/recovery-watch.js';
import { SeededRandom } from '../guarantees/seeded-random.js';
import { eventually } from '../support/eventually.js';
import { type DueTimes, dueTimesOf, type RunsEnded, runsEndedOf } from './cell-audit.js';
import { grownKinds, type Holdings, holdingsOf, orphansIn } from './cell-growth.js';
import type { CommandAudit } from './command-account.js';
import { FaultFleet } from './fault-fleet.js';
import type { Fault } from './faults.js';
import { DEADLINE_MS, dueSchedules, Workload } from './workload.js';

const WARM_UP_MS = 3_000;
/** Before the fault, and after it. */
const STEADY_MS = 3_000;
const SETTLE_TIMEOUT_MS = 60_000;
/** Beyond its deadline a caller waits this long at most, on a busy machine. */
const ANSWER_MARGIN_MS = 3_000;
const RSS_GROWTH_BYTES = 24 * 2 ** 20;
/** A run that is kept takes about 2 KiB. */
const REDIS_BYTES_PER_RUN = 8_192;
const SHOWN_COUNT = 5;

/** What one fault did to commands, due times and runs. */
export interface CellReport {
  fault: Fault;
  seed: number;
  commands: CommandAudit;
  dueTimes: DueTimes;
  runs: RunsEnded;
  /** Long runs that were under way when the fault began. */
  longRunsCount: number;
  recovery: Recovery;
  /** Until every commander had acknowledged a write again. */
  commandsAgainMs: number;
  /** Kinds of handles of which there are more than before. */
  grown: string[];
  orphans: string[];
  /** The most that one commander grew by. */
  rssGrowthBytes: number;
  redisBytesPerRun: number;
  /** Everything that must not be; empty when all is well. */
  violations: string[];
}

/** Breaks one thing under steady commands, due schedules and running jobs, waits for the end of all of it, and counts. */
export async function runCell(fault: Fault, seed: number, distDir: string): Promise<CellReport> {
  const under = await fault.startRedis();
  let fleet: FaultFleet | undefined;
  try {
    fleet = await FaultFleet.start(under, distDir, fault.hasClocks ?? false);
    return await new Cell(fault, seed, fleet).run();
  } catch (error) {
    const outputs = fleet?.commanders.map((commander) => commander.output().slice(-2_000)).join('\n---\n');
    throw new Error(`${fault.group} ${fault.name}: ${(error as Error).stack}\n${outputs}`, { cause: error });
  } finally {
    await fleet?.stop();
    await under.stop();
  }
}

class Cell {
  private readonly random: SeededRandom;
  private readonly journal = new Journal();
  private readonly records: Records;

  constructor(
    private readonly fault: Fault,
    private readonly seed: number,
    private readonly fleet: FaultFleet,
  ) {
    this.random = new SeededRandom(seed);
    this.records = new Records(fleet.under.redis);
  }

  async run(): Promise<CellReport> {
    const { fault, fleet, journal, records } = this;
    try {
      const before = await this.warmUp();
      journal.watchMachine(() => fleet.processIds());
      let declared = await this.declare();
      const workload = new Workload(fleet, this.random.fork());
      workload.start();
      await sleep(STEADY_MS);

      const longRunsCount = workload.longRunIds.size;
      const beganAt = Date.now();
      let recovering: Promise<Recovery> | undefined;
      let countedFrom = 0;
      const ids = dueSchedules.map(({ spec }) => spec.id);
      await fault.inflict(fleet, {
        counting: () => {
          countedFrom = Date.now();
          recovering = watchRecovery(records, ids, fault.name, countedFrom);
        },
      });
      if (recovering === undefined) throw new Error('the fault did not say when to count from');
      // A lock or a place of then holds for a while.
      journal.note(fault.name, beganAt, Date.now() + fault.recoveryMs);
      // The app notices that its schedules are gone, and declares them again.
      if (fault.losesEverything) declared = await this.declare();
      const recovery = await recovering;
      await this.acknowledgedAgain(workload, countedFrom);
      await sleep(STEADY_MS);
      await workload.stop();
      const waitedFor = everyCommander(fleet).filter((number) => number !== fault.away);
      const commandsAgainMs = workload.acknowledgedAgainMs(countedFrom, waitedFor);
      await this.settle();

      const runs = await records.runs(await records.allRunIds());
      const forgottenUntil = fault.losesEverything ? countedFrom : fault.losesLastMs === undefined ? 0 : beganAt;
      const lastSafe = fault.losesLastMs === undefined ? 0 : beganAt - fault.losesLastMs;
      const commands = workload.account.audit(await this.facts(runs), forgottenUntil);
      const report = {
        ...{ fault, seed: this.seed, longRunsCount, recovery, commandsAgainMs, commands },
        dueTimes: dueTimesOf(await this.schedules(), declared, runs),
        runs: runsEndedOf(runs, readAgentLog(fleet.logFile), journal, forgottenUntil),
        ...(await this.growth(before, ids, runs.length)),
      };
      return {
        ...report,
        violations: [
          ...journal.violations,
          ...violationsOf(report),
          ...(lastSafe > 0 ? this.lostTooEarly(workload, runs, lastSafe) : []),
        ],
      };
    } finally {
      journal.stop();
    }
  }

  /** A little of everything, then rest. @returns what the fleet holds there */
  private async warmUp(): Promise<Holdings> {
    const workload = new Workload(this.fleet, this.random.fork());
    workload.start();
    await sleep(WARM_UP_MS);
    await workload.stop();
    await this.allEnded();
    return holdingsOf(this.fleet);
  }

  private declare(): Promise<Declared[]> {
    return Promise.all(
      dueSchedules.map(async ({ spec }) => {
        const askedAt = Date.now();
        const { nextRuns } = await this.fleet.anywhere((client) => client.schedules.upsert(spec));
        return { askedAt, firstTickAt: nextRuns[0] as number };
      }),
    );
  }

  private async acknowledgedAgain(workload: Workload, since: number): Promise<void> {
    const commanders = everyCommander(this.fleet);
    await eventually(() => workload.acknowledgedAgainMs(since, commanders) < Infinity, {
      timeoutMs: SETTLE_TIMEOUT_MS,
      what: 'an acknowledged write of every commander',
    }).catch((error: Error) => this.journal.violations.push(error.message));
  }

  /** Deals with what is overdue, pauses the schedules, and waits until every run has ended. */
  private async settle(): Promise<void> {
    const isOverdue = async (id: string) => {
      const { nextTickAt = Infinity } = (await this.records.schedule(id)) ?? {};
      return nextTickAt < Date.now() - 1_000;
    };
    for (const { spec } of dueSchedules) {
      await eventually(async () => !(await isOverdue(spec.id)), { timeoutMs: SETTLE_TIMEOUT_MS, what: spec.id }).catch(
        (error: Error) => this.journal.violations.push(`overdue ticks were not dealt with: ${error.message}`),
      );
      await this.fleet.anywhere((client) => client.schedules.pause({ id: spec.id, reason: 'the cell is over' }));
    }
    await this.allEnded();
  }

  private async allEnded(): Promise<void> {
    const { records, journal } = this;
    const open = async () => {
      const ids = await records.allRunIds();
      const standings = await records.standings(ids);
      return ids.filter((_id, at) => !FINAL_STATES.has(standings[at]?.state ?? 'failed'));
    };
    await eventually(async () => (await open()).length === 0, { timeoutMs: SETTLE_TIMEOUT_MS, intervalMs: 250 }).catch(
      async () => {
        for (const runId of (await open()).slice(0, SHOWN_COUNT)) {
          journal.violations.push(`a run that does not end: ${await records.everythingAbout(runId)}`);
        }
      },
    );
  }

  private async facts(runs: readonly RunFacts[]) {
    const { redis } = this.fleet.under;
    const pipeline = redis.pipeline();
    for (const { runId } of runs) pipeline.hget(`{commander}:run:default:${runId}`, 'spec');
    const specs = (await pipeline.exec()) ?? [];
    const keyOf = (at: number) =>
      (JSON.parse(String(specs[at]?.[1] ?? '{}')) as { idempotencyKey?: string }).idempotencyKey;
    const { items } = await this.fleet.anywhere((client) => client.schedules.list({ limit: 500 }));
    return {
      runs: new Map(runs.map(({ runId, state }, at) => [runId, { state, key: keyOf(at) }])),
      declarations: new Map(
        items.flatMap(({ id, job }) => {
          const { number } = (job.payload ?? {}) as { number?: number };
          return number === undefined ? [] : [[id, number] as const];
        }),
      ),
    };
  }

  private async schedules(): Promise<ScheduleFacts[]> {
    return Promise.all(
      dueSchedules.map(async ({ spec }) => {
        const facts = await this.records.schedule(spec.id);
        if (facts === undefined) throw new Error(`schedule ${spec.id} is gone`);
        return facts;
      }),
    );
  }

  private async growth(before: Holdings, pausedIds: readonly string[], runsCount: number) {
    const grown = await grownKinds(this.fleet, before);
    const orphans = await orphansIn(this.fleet.under.redis, pausedIds);
    const after = await holdingsOf(this.fleet);
    return {
      grown,
      orphans,
      rssGrowthBytes: Math.max(...after.rssBytes.map((bytes, number) => bytes - before.rssBytes[number]!)),
      redisBytesPerRun: Math.round((after.redisBytes - before.redisBytes) / Math.max(1, runsCount)),
    };
  }

  /** What a replica that took over does not have although it was acknowledged well before the master was lost. */
  private lostTooEarly(workload: Workload, runs: readonly RunFacts[], lastSafe: number): string[] {
    const known = new Set(runs.map(({ runId }) => runId));
    return workload.account.submits
      .filter(({ answeredAt, runId }) => answeredAt < lastSafe && !known.has(runId))
      .map(({ key, runId }) => `submit ${key}: run ${runId} was acknowledged well before the loss, and is gone`);
  }
}

function everyCommander({ commanders }: FaultFleet): number[] {
  return commanders.map((_commander, number) => number);
}

/** Everything about a cell that breaks a promise. */
export function violationsOf(report: Omit<CellReport, 'violations'>): string[] {
  const { fault, commands, dueTimes, runs, recovery, commandsAgainMs, grown, orphans } = report;
  const violations = [
    ...commands.lost.map((lost) => `acknowledged and lost: ${lost}`),
    ...commands.doubled.map((doubled) => `done twice: ${doubled}`),
    ...commands.wrong.map((code) => `a caller was told ${code}`),
    ...dueTimes.wrong,
    ...runs.wrong,
    ...grown.map((kind) => `more than before: ${kind}`),
    ...orphans.map((orphan) => `left in Redis: ${orphan}`),
    ...recovery.left.map((runId) => `run ${runId} did not go on`),
  ];
  if (commands.slowestMs > DEADLINE_MS + ANSWER_MARGIN_MS) {
    violations.push(`an answer took ${commands.slowestMs} ms, its deadline was ${DEADLINE_MS}`);
  }
  const times = { commands: commandsAgainMs, 'due times': recovery.overdueTicksMs, runs: recovery.takeoverMs };
  for (const [what, ms] of Object.entries(times)) {
    if (ms > fault.recoveryMs) violations.push(`${what} went on after ${ms} ms, allowed are ${fault.recoveryMs}`);
  }
  if (report.rssGrowthBytes > RSS_GROWTH_BYTES) violations.push(`RSS grew by ${report.rssGrowthBytes} bytes`);
  if (report.redisBytesPerRun > REDIS_BYTES_PER_RUN) {
    violations.push(`Redis grew by ${report.redisBytesPerRun} bytes per run`);
  }
  return violations;
}
