import { cpus } from 'node:os';
import { clockMethod } from '../guarantees/process-clock.js';
import type { CellReport } from './cell.js';

const titles = { redis: 'Redis', commander: 'Commander, of three replicas', agent: 'Agents, of three' } as const;

export interface FaultsRun {
  command: string;
  seed: number;
  date: Date;
  lastedMs: number;
}

/** The section about faults of docs/reliability.md. */
export function faultsSection(reports: readonly CellReport[], { command, seed, date, lastedMs }: FaultsRun): string {
  const violated = reports.filter(({ violations }) => violations.length > 0);
  const groups = Object.entries(titles).map(([group, title]) => {
    const ofGroup = reports.filter(({ fault }) => fault.group === group);
    return ofGroup.length === 0 ? '' : `### ${title}\n\n${HEAD}\n${ofGroup.map(row).join('\n')}\n`;
  });
  return `${violated.length === 0 ? 'No promise was broken.' : `**Broken promises** in ${violated.map(({ fault }) => fault.name).join(', ')}.`}

| | |
| --- | --- |
| command | \`${command}\`, ${date.toISOString().slice(0, 10)}, seed ${seed}; ${Math.round(lastedMs / 1_000)} s |
| machine | ${cpus().length} cores, Node ${process.version}; other work ran beside it; clocks by ${clockMethod} |
| fleet | 3 commanders (\`RUN_LOCK_MS\` 2,000, memory flags of the image), 3 agents, Redis with AOF (\`appendfsync always\`), each a process; Redis and agents behind a TCP proxy |
| meanwhile | 6 callers that submit, declare and remove, with a deadline of 2 s, again with the same key until acknowledged; 9 runs of 2–4 s at any time; ${SCHEDULES_COUNT} schedules with every policy, a due time each 250 ms to 1 s |

${groups.join('\n')}
*Acknowledged*: commands; *refused*: asked again later, with the same key. *Late*: more than 1 s. *Left out*: as misfire, overlap or
catch-up policy say. *Again*: handlers called a second time for one attempt. *Recovery* counts from when the fault ended, or as the row
says: until every commander had acknowledged a write · the last overdue due time was dealt with · the last run under way was taken over (0: there was
none). *Growth* of one commander at rest, most; handles of every kind that are more than before, records in Redis that nobody needs.`;
}

const SCHEDULES_COUNT = 8;
const HEAD = `| fault | acknowledged · refused · lost | due times: demanded · late · left out · wrong | runs: ended · again · lost or wrong | slowest answer | recovery: commands · due times · runs | growth: handles · RSS · left in Redis |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |`;

function row({
  fault,
  commands,
  dueTimes,
  runs,
  recovery,
  commandsAgainMs,
  grown,
  orphans,
  ...rest
}: CellReport): string {
  const forgotten =
    commands.forgottenCount === 0 ? '' : ` (and ${commands.forgottenCount} that were in Redis when its data was)`;
  const cells = [
    `**${fault.name}**: ${fault.how}`,
    `${commands.acknowledgedCount} · ${commands.refusedCount} · ${commands.lost.length + commands.doubled.length}${forgotten}`,
    `${dueTimes.demandedCount} · ${dueTimes.lateCount} · ${dueTimes.leftOutCount} · ${dueTimes.wrong.length}`,
    `${runs.runsCount} · ${runs.repeatedCount} · ${runs.wrong.length}`,
    seconds(commands.slowestMs),
    [commandsAgainMs, recovery.overdueTicksMs, recovery.takeoverMs].map(seconds).join(' · '),
    `${grown.length} · ${(rest.rssGrowthBytes / 2 ** 20).toFixed(0)} MiB · ${orphans.length}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1_000).toFixed(1)} s` : 'never';
}
