import stringify from 'safe-stable-stringify';
import { idSchema } from '../contract/common.schema.js';
import type { Schedule, ScheduleSpec } from '../contract/schedule.schema.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import { readStoredSpec } from './stored-spec.js';

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

/** Fields of the hash that are whole numbers; the first three are always there. */
const NUMBERS = [
  'version',
  'createdAt',
  'updatedAt',
  'nextTickAt',
  'pausedAt',
  'skipUntil',
  'lastTickAt',
  'latenessMs',
  'fired',
  'late',
  'skipped',
  'missed',
] as const;
const WHOLE_NUMBER = /^(0|[1-9]\d{0,15})$/;
/** The newest entry of a tick ledger. */
const TICKS = /^\d+\|\d+\|\d+\|(fired|late|skipped|missed)\|[^|]*\|\d+$/;

/** Reads a schedule from the fields of its hash; undefined where the hash does not exist. */
export function parseSchedule(
  namespace: string,
  id: string,
  fields: Record<string, string>,
): ScheduleRecord | BrokenRecordError | undefined {
  if (Object.keys(fields).length === 0) return undefined;
  try {
    const {
      version,
      createdAt,
      updatedAt,
      fired = 0,
      late = 0,
      skipped = 0,
      missed = 0,
      ...numbers
    } = numbersOf(fields);
    if (!version || createdAt === undefined || updatedAt === undefined) {
      throw new Error('version, createdAt or updatedAt is missing');
    }
    return {
      namespace,
      spec: readStoredSpec(id, fields.spec),
      specText: fields.spec,
      owner: fields.owner,
      version,
      createdAt,
      updatedAt,
      nextTickAt: numbers.nextTickAt,
      pausedAt: numbers.pausedAt,
      pausedReason: fields.pausedReason,
      skipUntil: numbers.skipUntil,
      lastTickAt: numbers.lastTickAt,
      lastRunId: fields.lastRunId,
      latenessMs: numbers.latenessMs,
      lastTicks: fields.lastTicks,
      ticks: { fired, late, skipped, missed },
    };
  } catch (error) {
    return new BrokenRecordError('schedule', id, (error as Error).message, fields);
  }
}

/** @throws Error naming the first that is none */
function numbersOf(fields: Record<string, string>): Partial<Record<(typeof NUMBERS)[number], number>> {
  const numbers: Partial<Record<(typeof NUMBERS)[number], number>> = {};
  for (const name of NUMBERS) {
    const text = fields[name];
    if (text === undefined) continue;
    if (!WHOLE_NUMBER.test(text)) throw new Error(`${name} is no whole number`);
    numbers[name] = Number(text);
  }
  return numbers;
}

/** What can be read of a broken record, and is kept when the schedule is declared anew. */
export interface ScheduleRemains {
  /** Of the hash. Where its next tick is, is none of it: that depends on the spec. */
  fields: Record<string, string>;
  owner?: string;
  /** 0 where it cannot be read. */
  version: number;
  createdAt?: number;
  ticks: TickCounts;
}

/** Who owns a schedule whose record is broken, whether it is paused and how its due times ended, as far as that can be read. */
export function remainsOf({ fields }: BrokenRecordError): ScheduleRemains {
  const kept: Record<string, string> = {};
  for (const name of NUMBERS) {
    if (name !== 'nextTickAt' && WHOLE_NUMBER.test(fields[name] ?? '')) kept[name] = fields[name];
  }
  if (idSchema.safeParse(fields.owner).success) kept.owner = fields.owner;
  for (const name of ['pausedReason', 'lastRunId']) if (fields[name] !== undefined) kept[name] = fields[name];
  // The entries of the ledger name the version they belong to.
  if (kept.version !== undefined && TICKS.test(fields.lastTicks ?? '')) kept.lastTicks = fields.lastTicks;
  const { version = 0, createdAt, fired = 0, late = 0, skipped = 0, missed = 0 } = numbersOf(kept);
  return { fields: kept, owner: kept.owner, version, createdAt, ticks: { fired, late, skipped, missed } };
}

/** How many ticks became runs; counts against `maxRuns`. */
export function runsCount({ ticks }: Pick<ScheduleRecord, 'ticks'>): number {
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
