import type { ChaosReport } from './chaos-run.js';
import type { Recovery } from './journal.js';
import type { TickAudit } from './tick-audit.js';

/** What the product promises about the time after a crash. */
export const RECOVERY_PROMISE_MS = 10_000;

/** The due times of one kind of schedules. */
export interface KindFigures {
  kind: string;
  schedules: number;
  demanded: number;
  fired: number;
  late: number;
  skipped: Map<string, number>;
  missed: Map<string, number>;
  /** In order of size. */
  latenessMs: number[];
}

/** The recoveries from one kind of disturbance; the numbers in order of size. */
export interface RecoveryFigures {
  kind: string;
  times: number;
  firstTickMs: number[];
  overdueTicksMs: number[];
  takeoverMs: number[];
  takenOverCount: number;
  slow: string[];
}

/** The value below which this share (in percent) of sorted numbers lies; 0 of none. */
export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}

export function kindFigures(kind: string, audits: readonly TickAudit[]): KindFigures {
  const sum = (read: (audit: TickAudit) => number) => audits.reduce((total, audit) => total + read(audit), 0);
  return {
    kind,
    schedules: audits.length,
    demanded: sum(({ counts }) => counts.demanded),
    fired: sum(({ counts }) => counts.fired),
    late: sum(({ counts }) => counts.late),
    skipped: sumOfMaps(audits.map(({ counts }) => counts.skipped)),
    missed: sumOfMaps(audits.map(({ counts }) => counts.missed)),
    latenessMs: audits.flatMap(({ latenessMs }) => latenessMs).sort((a, b) => a - b),
  };
}

/** @returns a line for each kind of schedules, and their sum */
export function tickFigures({ byKind }: ChaosReport): { kinds: KindFigures[]; total: KindFigures } {
  return {
    kinds: [...byKind].map(([kind, audits]) => kindFigures(kind, audits)),
    total: kindFigures('**all**', [...byKind.values()].flat()),
  };
}

export function recoveryFigures({ journal, byKind }: ChaosReport): RecoveryFigures[] {
  const madeAt = [...byKind.values()]
    .flat()
    .flatMap(({ firings }) => firings.map((firing) => firing.madeAt))
    .sort((a, b) => a - b);
  const kinds = [...new Set(journal.recoveries.map(({ kind }) => kind))].sort();
  return kinds.map((kind) => {
    const recoveries = journal.recoveries.filter((recovery) => recovery.kind === kind);
    const sorted = (read: (recovery: Recovery) => number) => recoveries.map(read).sort((a, b) => a - b);
    return {
      kind,
      times: recoveries.length,
      firstTickMs: sorted(({ at, goneAt }) => (madeAt.find((made) => made > goneAt) ?? Infinity) - at),
      overdueTicksMs: sorted(({ overdueTicksMs }) => overdueTicksMs),
      takeoverMs: sorted(({ takeoverMs }) => takeoverMs),
      takenOverCount: recoveries.reduce((sum, { takenOverCount }) => sum + takenOverCount, 0),
      slow: recoveries.flatMap(({ slow }) => slow),
    };
  });
}

function sumOfMaps(maps: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const total = new Map<string, number>();
  for (const map of maps) for (const [key, count] of map) total.set(key, (total.get(key) ?? 0) + count);
  return total;
}
