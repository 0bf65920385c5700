import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { readAgentLog } from './agent-log.js';
import { DeclaringApp, type Declared } from './declaring-app.js';
import { Disturbances } from './disturbances.js';
import { Fleet } from './fleet.js';
import { Journal } from './journal.js';
import { FINAL_STATES, Records, type RunFacts } from './records.js';
import { ResultWatch } from './result-watch.js';
import { auditResults, auditRuns, type RunAudit } from './run-audit.js';
import { type MixedSchedule, mixedSchedules } from './schedule-mix.js';
import { SeededRandom } from './seeded-random.js';
import { auditTicks, type TickAudit } from './tick-audit.js';

/** Everything that is open when the disturbances end has to end within this. */
const SETTLE_TIMEOUT_MS = 90_000;
const LOOK_EVERY_MS = 250;
const STUCK_SHOWN_COUNT = 5;
const WATCH_EVERY_MS = 50;
/** Due times of one schedule about which `schedule.explain` is asked. */
const EXPLAINED_PER_SCHEDULE = 3;

export interface ChaosOptions {
  seed: number;
  durationMs: number;
  /** The build whose commanders and agents run. */
  distDir: string;
  /** Called with one line now and then. */
  say?: (line: string) => void;
}

/** What a run found out. */
export interface ChaosReport {
  seed: number;
  durationMs: number;
  settledMs: number;
  byKind: Map<string, TickAudit[]>;
  runs: RunAudit;
  journal: Journal;
  boots: { boots: number; changes: number };
  skewsMs: number[];
  resultReadsCount: number;
  resultsBackwardsCount: number;
  explained: { count: number; violations: string[] };
  redisVersion: string;
  repairsCount: number;
  /** Everything that a guarantee forbids; empty when all of them held. */
  violations: string[];
}

/** Runs the mix of schedules on a fleet that is broken all the time, lets it settle, and counts. */
export async function runChaos({
  seed,
  durationMs,
  distDir,
  say = () => undefined,
}: ChaosOptions): Promise<ChaosReport> {
  const random = new SeededRandom(seed);
  const fleet = await Fleet.start(random, distDir);
  const journal = new Journal();
  try {
    const startAt = Date.now() + 3_000;
    const endAt = startAt + durationMs;
    const schedules = mixedSchedules({ startAt, endAt }, random);
    const records = new Records(fleet.redis);
    const app = new DeclaringApp(fleet, schedules, journal);
    const declared = await app.firstBoot();
    say(`${schedules.length} schedules declared`);

    const watch = new ResultWatch(fleet, watchedKeys(schedules), journal);
    journal.watchMachine(() => fleet.processIds());
    watch.start(WATCH_EVERY_MS);
    await new Disturbances(fleet, schedules, app, journal, random).until(endAt);
    say(`${journal.disturbances.length} disturbances; settling`);

    const settlingSince = Date.now();
    await settle(fleet, schedules, records, journal, endAt);
    const settledMs = Date.now() - settlingSince;
    await watch.stop();
    journal.stop();
    say(`settled after ${settledMs} ms; counting`);
    journal.violations.push(...(await absentAgents(fleet)));

    const runs = await records.runs(await records.allRunIds());
    const byKind = await auditSchedules(schedules, declared, records, runs);
    const runAudit = auditRuns(runs, readAgentLog(fleet.logFile), journal);
    const explained = await explainSome(fleet, byKind, schedules, random);
    const resultViolations = auditResults(runs, await storedResults(fleet, schedules));
    const violations = [
      ...journal.violations,
      ...[...byKind.values()].flat().flatMap((audit) => audit.violations),
      ...runAudit.violations,
      ...resultViolations,
      ...explained.violations,
    ];
    return {
      ...{ seed, durationMs, settledMs, byKind, journal, violations },
      runs: runAudit,
      boots: app.counts,
      skewsMs: fleet.skewsMs,
      resultReadsCount: watch.readsCount,
      resultsBackwardsCount: watch.backwardsCount,
      explained,
      redisVersion: await records.redisVersion(),
      repairsCount: await repairs(fleet),
    };
  } catch (error) {
    for (const commander of fleet.commanders) say(commander.output().slice(-4_000));
    throw error;
  } finally {
    journal.stop();
    await fleet.stop();
  }
}

function watchedKeys(schedules: readonly MixedSchedule[]): string[] {
  const perKind = new Map(schedules.map(({ kind, spec }) => [kind, spec.resultKey as string]));
  return [...perKind.values()];
}

/** Ends what would go on for ever, then waits until every schedule has dealt with its past and every run has ended. */
async function settle(
  fleet: Fleet,
  schedules: readonly MixedSchedule[],
  records: Records,
  journal: Journal,
  endAt: number,
): Promise<void> {
  const deadlineAt = Date.now() + SETTLE_TIMEOUT_MS;
  const hasEnd = ({ spec }: MixedSchedule) => spec.at !== undefined || spec.endAt !== undefined;
  const isOverdue = async ({ spec }: MixedSchedule) => {
    const { nextTickAt = Infinity } = (await records.schedule(spec.id)) ?? {};
    return nextTickAt + (spec.jitterMs ?? 0) < Date.now() - 1_000;
  };
  // What is overdue is dealt with first: a pause would keep it pending.
  for (const schedule of schedules) {
    while (await isOverdue(schedule)) {
      if (Date.now() > deadlineAt) {
        journal.violations.push(`${schedule.spec.id}: its overdue ticks were not dealt with`);
        break;
      }
      await sleep(LOOK_EVERY_MS);
    }
    if (hasEnd(schedule)) continue;
    await fleet.anywhere((client) => client.schedules.pause({ id: schedule.spec.id, reason: 'the run is over' }));
  }
  await sleep(Math.max(0, endAt + 2_000 - Date.now()));
  while (Date.now() < deadlineAt) {
    const ids = await records.allRunIds();
    const standings = await records.standings(ids);
    if (standings.every((standing) => standing === undefined || FINAL_STATES.has(standing.state))) return;
    await sleep(LOOK_EVERY_MS * 2);
  }
  const ids = await records.allRunIds();
  const standings = await records.standings(ids);
  const stuck = ids.filter((_id, at) => standings[at] !== undefined && !FINAL_STATES.has(standings[at].state));
  for (const runId of stuck.slice(0, STUCK_SHOWN_COUNT)) journal.violations.push(await records.everythingAbout(runId));
}

async function auditSchedules(
  schedules: readonly MixedSchedule[],
  declared: ReadonlyMap<string, Declared>,
  records: Records,
  runs: readonly RunFacts[],
): Promise<Map<string, TickAudit[]>> {
  const runsOf = new Map<string, RunFacts[]>();
  for (const run of runs) {
    const ofSchedule = runsOf.get(run.scheduleId ?? '') ?? [];
    ofSchedule.push(run);
    runsOf.set(run.scheduleId ?? '', ofSchedule);
  }
  const byKind = new Map<string, TickAudit[]>();
  for (const schedule of schedules) {
    const { id } = schedule.spec;
    const facts = await records.schedule(id);
    const first = declared.get(id);
    if (facts === undefined || first === undefined) throw new Error(`schedule ${id} is gone`);
    const audit = auditTicks(schedule, first, facts, runsOf.get(id) ?? []);
    byKind.set(schedule.kind, [...(byKind.get(schedule.kind) ?? []), audit]);
  }
  return byKind;
}

/** Asks `schedule.explain` about some due times of every schedule: it must say what the ledger says. */
async function explainSome(
  fleet: Fleet,
  byKind: ReadonlyMap<string, TickAudit[]>,
  schedules: readonly MixedSchedule[],
  random: SeededRandom,
): Promise<{ count: number; violations: string[] }> {
  const violations: string[] = [];
  let count = 0;
  const audits = new Map<string, TickAudit>();
  for (const [kind, ofKind] of byKind) {
    schedules.filter((one) => one.kind === kind).forEach(({ spec }, at) => audits.set(spec.id, ofKind[at]));
  }
  for (const [id, { outcomes }] of audits) {
    const ticks = [...outcomes.keys()];
    for (let asked = 0; asked < EXPLAINED_PER_SCHEDULE && ticks.length > 0; asked += 1) {
      const at = random.pick(ticks);
      const { outcome, reasons } = await fleet.anywhere((client) => client.schedules.explain({ id, at }));
      count += 1;
      if (outcome !== outcomes.get(at) || reasons.length === 0) {
        violations.push(`${id}: explain says ${outcome} about tick ${at}, the ledger ${outcomes.get(at)}`);
      }
    }
  }
  return { count, violations };
}

/** Every agent runs, and its commander knows it. */
async function absentAgents(fleet: Fleet): Promise<string[]> {
  const absent = async () => {
    const { items } = await fleet.anywhere((client) => client.agents.list({}));
    return fleet.agents.filter(
      ({ agentId }) => !items.some((agent) => agent.agentId === agentId && agent.state !== 'down'),
    );
  };
  // All commanders may have been gone for longer than a lease just before, and an agent pauses between two tries to register.
  await eventually(async () => (await absent()).length === 0).catch(() => undefined);
  return (await absent()).map((agent) => `${agent.agentId} runs, but is not registered: ${agent.output().slice(-300)}`);
}

async function storedResults(
  fleet: Fleet,
  schedules: readonly MixedSchedule[],
): Promise<Map<string, { tickAt: number; stale: boolean }>> {
  const stored = new Map<string, { tickAt: number; stale: boolean }>();
  for (const key of new Set(schedules.map(({ spec }) => spec.resultKey as string))) {
    const result = await fleet
      .anywhere((client) => client.results.get({ key }))
      .catch((error: { code?: string }) => {
        if (error.code !== 'NOT_FOUND') throw error;
      });
    if (result !== undefined) stored.set(key, result);
  }
  return stored;
}

async function repairs(fleet: Fleet): Promise<number> {
  const stats = await Promise.all(fleet.commanders.map(({ client }) => client.system.stats({})));
  return stats.reduce((sum, { repairs: { totalCount } }) => sum + totalCount, 0);
}
