import stringify from 'safe-stable-stringify';
import type { Schedule, ScheduleSpec } from '../contract/schedule.schema.js';

/** How the due times of a schedule ended so far; their sum is what its timing demanded. */
export interface TickCounts {
  fired: number;
  late: number;
  skipped: number;
  missed: number;
}

/** A schedule as it stands in its Redis hash. */
export interface ScheduleRecord {
  namespace: string;
  spec: ScheduleSpec;
  /** The spec as canonical JSON: equal text, equal declaration. */
  specText: string;
  /** Whose set it belongs to (`schedule.sync`). */
  owner?: string;
  version: number;
  createdAt: number;
  updatedAt: number;
  /** First tick that was not dealt with; absent when disabled or ended. */
  nextTickAt?: number;
  /** Set while `schedule.pause` holds. */
  pausedAt?: number;
  pausedReason?: string;
  /** Ticks up to this instant fell into a pause that was ended without catching up. */
  skipUntil?: number;
  lastTickAt?: number;
  lastRunId?: string;
  latenessMs?: number;
  /** The newest entry of its tick ledger, as tick-ledger.ts reads it. */
  lastTicks?: string;
  ticks: TickCounts;
}

/** JSON with sorted keys, so that the same declaration has the same text whoever wrote it. */
export function canonicalSpec(spec: ScheduleSpec): string {
  return stringify(spec);
}

/** Reads a schedule from the fields of its hash; undefined where the hash does not exist. */
export function parseSchedule(namespace: string, fields: Record<string, string>): ScheduleRecord | undefined {
  if (fields.spec === undefined) return undefined;
  const numberOf = (name: string) => (fields[name] === undefined ? undefined : Number(fields[name]));
  return {
    namespace,
    spec: JSON.parse(fields.spec) as ScheduleSpec,
    specText: fields.spec,
    owner: fields.owner,
    version: Number(fields.version),
    createdAt: Number(fields.createdAt),
    updatedAt: Number(fields.updatedAt),
    nextTickAt: numberOf('nextTickAt'),
    pausedAt: numberOf('pausedAt'),
    pausedReason: fields.pausedReason,
    skipUntil: numberOf('skipUntil'),
    lastTickAt: numberOf('lastTickAt'),
    lastRunId: fields.lastRunId,
    latenessMs: numberOf('latenessMs'),
    lastTicks: fields.lastTicks,
    ticks: {
      fired: numberOf('fired') ?? 0,
      late: numberOf('late') ?? 0,
      skipped: numberOf('skipped') ?? 0,
      missed: numberOf('missed') ?? 0,
    },
  };
}

/** How many ticks became runs; counts against `maxRuns`. */
export function runsCount({ ticks }: ScheduleRecord): number {
  return ticks.fired + ticks.late;
}

/** The part that a caller declared or can compare, without where it stands. */
export function declaredSchedule(record: ScheduleRecord): Schedule {
  return { ...record.spec, version: record.version, createdAt: record.createdAt, updatedAt: record.updatedAt };
}

/** Whether two declarations are due at the same instants. */
export function sameTiming(a: ScheduleSpec, b: ScheduleSpec): boolean {
  return stringify(timingOf(a)) === stringify(timingOf(b));
}

function timingOf({ cron, everyMs, at, timezone, startAt, endAt, jitterMs, enabled }: ScheduleSpec): object {
  return { cron, everyMs, at, timezone, startAt, endAt, jitterMs, enabled };
}
