/** `1536` as `1.5 KiB`. */
export function bytesText(value: number): string {
  const exponent = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)));
  return exponent === 0
    ? `${value} B`
    : `${(value / 1_024 ** exponent).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB', 'TiB'][exponent]}`;
}

/** A duration in ms as `250 ms`, `12.5 s`, `3 h 20 min`. */
export function durationText(value: number): string {
  if (value < 1_000) return `${value} ms`;
  if (value < 120_000) return `${(value / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(value / 60_000);
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor(minutes / 60) % 24];
  return [days > 0 ? `${days} d` : '', days + hours > 0 ? `${hours} h` : '', `${minutes % 60} min`]
    .filter(Boolean)
    .join(' ');
}

/** `0.125` as `12.5 %`. */
export function ratioText(value: number): string {
  return `${(value * 100).toFixed(1)} %`;
}

/** `1234567` as `1,234,567`. */
export function countText(value: number): string {
  return value.toLocaleString('en-US');
}

/** An instant in UTC, to the millisecond. */
export function instantText(value: number): string {
  return new Date(value).toISOString();
}
