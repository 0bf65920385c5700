import stringify from 'safe-stable-stringify';
import type { ScheduleSpec, Schedule } from '../contract/schedule.schema.js';

/** A schedule as it stands in its Redis hash. */
export interface ScheduleRecord {
  namespace: string;
  spec: ScheduleSpec;
  /** The spec as canonical JSON: equal text, equal declaration. */
  specText: string;
  version: number;
  createdAt: number;
  updatedAt: number;
  /** First tick that was not dealt with; absent when paused or ended. */
  nextTickAt?: number;
  lastTickAt?: number;
  lastRunId?: string;
  latenessMs?: number;
  /** How many ticks were fired; counts against `maxRuns`. */
  firedCount: number;
}

/** JSON with sorted keys, so that the same declaration has the same text whoever wrote it. */
export function canonicalSpec(spec: ScheduleSpec): string {
  return stringify(spec) as string;
}

/** Reads a schedule from the fields of its hash; undefined where the hash does not exist. */
export function parseSchedule(namespace: string, fields: Record<string, string>): ScheduleRecord | undefined {
  if (fields.spec === undefined) return undefined;
  const numberOf = (name: string) => (fields[name] === undefined ? undefined : Number(fields[name]));
  return {
    namespace,
    spec: JSON.parse(fields.spec) as ScheduleSpec,
    specText: fields.spec,
    version: Number(fields.version),
    createdAt: Number(fields.createdAt),
    updatedAt: Number(fields.updatedAt),
    nextTickAt: numberOf('nextTickAt'),
    lastTickAt: numberOf('lastTickAt'),
    lastRunId: fields.lastRunId,
    latenessMs: numberOf('latenessMs'),
    firedCount: Number(fields.firedCount ?? 0),
  };
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
