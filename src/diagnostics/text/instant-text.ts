/** An instant in UTC, to the millisecond. */
export function instantText(value: number): string {
  return new Date(value).toISOString();
}
