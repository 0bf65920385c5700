import { cpus } from 'node:os';
import type { Flatness } from './flatness.js';
import type { SoakReport } from './soak-run.js';

const MiB = 2 ** 20;

/** The section about the soak of docs/reliability.md. */
export function soakSection(report: SoakReport, command: string, date: Date): string {
  const { flatness, verdicts, troubles } = report;
  const lines = flatness.filter(({ what }) => isLine(what));
  const mostGrowth = Math.max(...lines.map(({ growth, tolerance }) => growth - tolerance));
  const shown = flatness.filter(({ what, isFlat }) => !isLine(what) || !isFlat);
  const leaking = verdicts.filter((verdict) => verdict.startsWith('leaking'));
  const rising = flatness.filter(({ isFlat }) => !isFlat);
  return `${rising.length + leaking.length + troubles.length === 0 ? 'Everything stayed level.' : '**Not everything stayed level.**'}

| | |
| --- | --- |
| command | \`${command}\`, ${date.toISOString().slice(0, 10)}, seed ${report.seed} |
| machine | ${cpus().length} cores, Node ${process.version}; other work ran beside it |
| done | ${group(report.commandsCount)} commands and ${group(report.runsCount)} runs in ${Math.round(report.lastedMs / 1_000)} s; ${group(report.diagnosticsReadsCount)} answers of the diagnostics read meanwhile |
| wrong answers | ${troubles.length === 0 ? 'none' : troubles.join('; ')} |
| what the service's own verdicts called leaking, or growing for a while | ${verdicts.length === 0 ? 'none' : verdicts.join('; ')} |

Read ${report.readings.length} times at rest; "early" is the median of the first third after the warm-up (a quarter of the readings), "late" of the last.

| what | early | late | growth | allowed |
| --- | ---: | ---: | ---: | ---: |
${shown.map(row).join('\n')}
| each of ${lines.length} lines of the ledger by itself | | | ${mostGrowth > 0 ? `**${mostGrowth} too many**` : 'as allowed'} | 0; timers 10 |`;
}

/** Whether it is about one line of the ledger: those are summed up. */
function isLine(what: string): boolean {
  return /\S+ (\S+:\d+|-)$/.test(what);
}

function row({ what, unit, early, late, growth, tolerance, isFlat }: Flatness): string {
  const text = (value: number) => (unit === 'bytes' ? `${(value / MiB).toFixed(2)} MiB` : group(value));
  return `| ${isFlat ? what : `**${what}**`} | ${text(early)} | ${text(late)} | ${text(growth)} | ${text(tolerance)} |`;
}

function group(count: number): string {
  return count.toLocaleString('en-US');
}
