import type { ScheduleSpec } from '../contract/schedule.schema.js';
import type { RunSpec } from '../runs/run.record.js';

/** What every run of a schedule is made of. */
export function runSpecOf({ job, route, retry, timeoutMs, resultKey }: ScheduleSpec): RunSpec {
  return { job, route, retry, timeoutMs, resultKey };
}
