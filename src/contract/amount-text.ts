const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1536` as `1.5 KiB`. */
export function bytesText(value: number): string {
  const exponent = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10)));
  return exponent === 0 ? `${Math.round(value)} B` : `${(value / 1_024 ** exponent).toFixed(1)} ${UNITS[exponent]}`;
}

/** A duration in ms as `250 ms`, `12.5 s`, `3 h 20 min`. */
export function durationText(value: number): string {
  if (value < 1_000) return `${Math.round(value * 1_000) / 1_000} ms`;
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

/** Growth per second as `+2.1/s`, `+4.0/min` or `+3.0/h` when slow, `0/s`. */
export function rateText(perSecond: number): string {
  const size = Math.abs(perSecond);
  if (size < 1e-4) return '0/s';
  const sign = perSecond > 0 ? '+' : '−';
  if (size >= 0.1) return `${sign}${size >= 100 ? countText(Math.round(size)) : size.toFixed(1)}/s`;
  return size * 60 >= 0.1 ? `${sign}${(size * 60).toFixed(1)}/min` : `${sign}${(size * 3_600).toFixed(1)}/h`;
}
