import { z } from 'zod';
import { HttpRefusal } from './http-refusal.js';

/** A whole number in decimal digits. */
export function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,15}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** A number of seconds; what is less or more than allowed is taken as the least or most. */
export function clampedSeconds(min: number, max: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'expected a whole number of seconds')
    .transform((text) => Math.min(max, Math.max(min, Number(text))))
    .meta({
      type: 'integer',
      minimum: 0,
      description: `Seconds; what is below ${min} or above ${max} is taken as that.`,
    });
}

/** `?format=`: how the answer is written. */
export const formatSchema = z.enum(['json', 'text']).default('json');

/** A parser compiled for a schema costs a millisecond or two, and a query is as soon read without. */
const INTERPRETED = { jitless: true };

/**
 * The query of a request, validated.
 * @throws HttpRefusal for a parameter that is not known, is given twice or has no valid value
 */
export function parsedQuery<Query extends z.ZodObject>(given: URLSearchParams, schema: Query): z.output<Query> {
  const known = Object.keys(schema.shape);
  const names = [...given.keys()];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new HttpRefusal('INVALID_ARGUMENT', 'unknown query parameter', {
      details: { unknown: unknown.slice(0, 10), known },
    });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new HttpRefusal('INVALID_ARGUMENT', `${twice}: given twice`);
  const parsed = schema.safeParse(Object.fromEntries(given), INTERPRETED);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new HttpRefusal('INVALID_ARGUMENT', `${path.join('.')}: ${message}`);
}

/** Indented: it is read by people with curl and a browser as often as by programs. */
export function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The two ways in which most answers are written. */
export function jsonOrText(
  format: 'json' | 'text',
  value: unknown,
  text: () => string,
): { type: string; body: string } {
  return format === 'text'
    ? { type: 'text/plain; charset=utf-8', body: text() }
    : { type: 'application/json; charset=utf-8', body: asJson(value) };
}
