import { cpus } from 'node:os';
import type { ChaosReport } from './chaos-run.js';
import type { Disturbance } from './journal.js';
import { clockMethod } from './process-clock.js';
import {
  type KindFigures,
  percentile,
  RECOVERY_PROMISE_MS,
  type RecoveryFigures,
  recoveryFigures,
  tickFigures,
} from './report-figures.js';

/** The report of a run as docs/guarantees.md. */
export function guaranteesPage(report: ChaosReport, command: string): string {
  const { kinds, total } = tickFigures(report);
  const wrongRunsCount = [...report.byKind.values()].flat().reduce((sum, audit) => sum + audit.wrongRunsCount, 0);
  const { runs, journal } = report;
  const verdict =
    report.violations.length === 0
      ? 'No guarantee was violated.'
      : `**${report.violations.length} violations**, the first: ${report.violations[0]}`;
  return `# Guarantees under fire

What became of every due time of 100 schedules while the service around them was broken all the time. Written by
\`${command}\`; \`npm test\` does the same for one minute (\`test/guarantees/guarantees.spec.ts\`) and fails on any violation.

${verdict}

| | |
| --- | --- |
| lasted | ${Math.round(report.durationMs / 1_000)} s, and ${(report.settledMs / 1_000).toFixed(1)} s until the last run had ended |
| seed | ${report.seed} (\`GUARANTEES_SEED=${report.seed}\` chooses the same schedules and disturbances; when they hit, the machine decides) |
| machine | Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Redis ${report.redisVersion} with AOF, \`appendfsync always\` |
| fleet | 3 commanders and 6 agents, each a process; clocks ${clockRange(report.skewsMs)}, anew at each of ${report.skewsMs.length} starts, by ${clockMethod} |

## Due times

How they ended, counted from the tick ledgers; what was demanded is worked out from the declarations alone by other code
(\`test/guarantees/demanded-ticks.ts\`). Fired, late, skipped and missed sum to what was demanded, for every single schedule.

| kind | schedules | demanded | fired | late | skipped | missed | lateness p50 | p99 |
| --- | ---: | ---: | ---: | ---: | --- | --- | ---: | ---: |
${[...kinds, total].map(kindRow).join('\n')}

A tick is *late* when it became a run more than 1 s after it was due, and a misfire after 3 s (\`MISFIRE_THRESHOLD_MS\` of this
run; 30 s by default): then its schedule's policy decides. Lateness is in ms from due to run; the worst was ${percentile(total.latenessMs, 100)} ms.

## Runs

| what | count |
| --- | ---: |
| ticks that became runs | ${total.fired + total.late} |
| ticks with more or fewer runs than one | ${wrongRunsCount} |
| runs, the parts of broadcasts and shards included | ${runs.runsCount} (${[...runs.byState].map(([state, count]) => `${count} ${state}`).join(', ')}) |
| runs that never ended | ${runs.neverEndedCount} |
| handlers called, by the agents' own logs | ${runs.executionsCount} |
| … broken off because their agent was killed | ${runs.cutOffCount} |
| … a second time for one attempt, after a crash, a freeze or a loss | ${runs.repeatedCount} |
| … of these, after the first had succeeded and was not heard | ${runs.doneTwiceCount} |
| … a second time without a cause | ${runs.uncausedCount} |
| results of another than the newest dispatch | ${runs.wrongResultsCount} |
| results read meanwhile · moved backwards | ${report.resultReadsCount} · ${report.resultsBackwardsCount} |
| \`schedule.explain\` asked · not what the ledger says | ${report.explained.count} · ${report.explained.violations.length} |
| repairs told by \`system.stats\` of the replicas at the end | ${report.repairsCount} |

## Recovery

The promise is ${RECOVERY_PROMISE_MS / 1_000} s (here at \`RUN_LOCK_MS\` 2,000), whatever the timeouts of the runs, counted from the kill, freeze or loss; where all
commanders were killed from when the first was back, where Redis was restarted from when it answered.

| what | times | until another replica fired a tick, p50 · worst | until the last overdue tick was dealt with | until the last run under way was taken over | runs taken over |
| --- | ---: | ---: | ---: | ---: | ---: |
${recoveryFigures(report).map(recoveryRow).join('\n')}

## What was done

| disturbance | times | how long, at most |
| --- | ---: | ---: |
${disturbanceRows(journal.disturbances).join('\n')}
| schedules declared again, one by one and as a set | ${report.boots.boots} | |

Declaring again changed ${report.boots.changes} times what was to change (the payload of three schedules), and nothing else.
`;
}

function kindRow({ kind, schedules, demanded, fired, late, skipped, missed, latenessMs }: KindFigures): string {
  const figures = [schedules, demanded, fired, late, reasonsText(skipped), reasonsText(missed)];
  return `| ${[kind, ...figures, percentile(latenessMs, 50), percentile(latenessMs, 99)].join(' | ')} |`;
}

function reasonsText(reasons: ReadonlyMap<string, number>): string {
  if (reasons.size === 0) return '0';
  return [...reasons].map(([reason, count]) => `${count} (${reason})`).join(', ');
}

function recoveryRow({
  kind,
  times,
  firstTickMs,
  overdueTicksMs,
  takeoverMs,
  takenOverCount,
}: RecoveryFigures): string {
  const both = (sorted: readonly number[]) => `${percentile(sorted, 50)} · ${percentile(sorted, 100)} ms`;
  return `| ${[kind, times, both(firstTickMs), both(overdueTicksMs), both(takeoverMs), takenOverCount].join(' | ')} |`;
}

function disturbanceRows(disturbances: readonly Disturbance[]): string[] {
  const byKind = new Map<string, Disturbance[]>();
  for (const one of disturbances) byKind.set(one.kind, [...(byKind.get(one.kind) ?? []), one]);
  return [...byKind].map(([kind, ofKind]) => {
    const longestMs = Math.max(...ofKind.map(({ from, to }) => to - from));
    return `| ${kind} | ${ofKind.length} | ${(longestMs / 1_000).toFixed(1)} s |`;
  });
}

function clockRange(skewsMs: readonly number[]): string {
  const sign = (ms: number) => `${ms < 0 ? '−' : '+'}${(Math.abs(ms) / 1_000).toFixed(1)} s`;
  return `skewed by ${sign(Math.min(...skewsMs))} to ${sign(Math.max(...skewsMs))}`;
}
