import { HttpRefusal } from './http-refusal.js';

const formats = ['json', 'text'] as const;
type Format = (typeof formats)[number];

/** @throws HttpRefusal for a query parameter that is not `known` */
export function refuseUnknown(query: Record<string, unknown>, known: readonly string[]): void {
  const unknown = Object.keys(query).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new HttpRefusal('INVALID_ARGUMENT', 'unknown query parameter', { unknown: unknown.slice(0, 10), known });
}

/** @throws HttpRefusal for a format that is not served */
export function formatOf(value: unknown): Format {
  if (value === undefined) return 'json';
  // A parameter given twice comes as an array.
  const format = formats.find((known) => known === value);
  if (format === undefined) throw new HttpRefusal('INVALID_ARGUMENT', 'unknown format', { known: formats });
  return format;
}

/** Indented: it is read by people with curl and a browser as often as by programs. */
export function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
