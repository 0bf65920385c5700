import type { ScheduleSpec } from '../contract/schedule.schema.js';
import { TickTimes } from './tick-times.js';

const isText = (value: unknown) => typeof value === 'string';
const isNumber = (value: unknown) => typeof value === 'number';
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is read of a spec without a look at whether it is there. A field that a later version adds is no mistake: the request was checked. */
const NEEDED: Partial<Record<keyof ScheduleSpec, (value: unknown) => boolean>> = {
  timezone: isText,
  jitterMs: isNumber,
  job: (job) => isObject(job) && isText((job as { name?: unknown }).name),
  route: isObject,
  misfire: isText,
  catchupWindowMs: isNumber,
  overlap: isText,
  timeoutMs: isNumber,
  retry: isObject,
  enabled: (value) => typeof value === 'boolean',
  tags: Array.isArray,
};

/** Reads the spec of a stored schedule. @throws Error saying what is wrong with it */
export function readStoredSpec(id: string, text: string | undefined): ScheduleSpec {
  if (text === undefined) throw new Error('it has no spec');
  let spec: ScheduleSpec;
  try {
    spec = JSON.parse(text) as ScheduleSpec;
  } catch {
    throw new Error('its spec is no JSON');
  }
  if (!isObject(spec)) throw new Error('its spec is no object');
  if (spec.id !== id) throw new Error('its spec is that of another id');
  for (const [field, isGood] of Object.entries(NEEDED)) {
    if (!isGood(spec[field as keyof ScheduleSpec])) throw new Error(`${field} of its spec is missing or wrong`);
  }
  const { cron, everyMs, at } = spec;
  const timings = [isText(cron), isNumber(everyMs) && (everyMs as number) > 0, isNumber(at)];
  if (timings.filter(Boolean).length !== 1) throw new Error('its spec has not exactly one timing');
  // Throws for an expression or a zone that does not exist; what it parses is kept for the plan that follows.
  new TickTimes(spec);
  return spec;
}
