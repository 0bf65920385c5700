/** An instant as a zone with this offset writes it: `2026-03-29T03:00:00+02:00`. */
export function localTime(instant: number, offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const two = (value: number) => String(value).padStart(2, '0');
  const offset = `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return `${new Date(instant + offsetMs).toISOString().slice(0, 19)}${offset}`;
}
