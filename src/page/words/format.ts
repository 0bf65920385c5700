const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1,240` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `12.3 MiB` */
export function bytes(value: number): string {
  const exponent = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10)));
  const shown = value / 1_024 ** exponent;
  return `${exponent === 0 || Math.abs(shown) >= 100 ? Math.round(shown) : shown.toFixed(1)} ${UNITS[exponent]}`;
}

/** `+2.1/s`, `+4.0/min` when slow, `0/s` */
export function rate(perSecond: number): string {
  if (Math.abs(perSecond) < 1e-4) return '0/s';
  const sign = perSecond > 0 ? '+' : '−';
  const size = Math.abs(perSecond);
  if (size >= 0.1) return `${sign}${size >= 100 ? count(size) : size.toFixed(1)}/s`;
  return size * 60 >= 0.1 ? `${sign}${(size * 60).toFixed(1)}/min` : `${sign}${(size * 3_600).toFixed(1)}/h`;
}

/** `+12`, `−3`, `0` */
export function change(value: number): string {
  return value === 0 ? '0' : `${value > 0 ? '+' : '−'}${count(Math.abs(value))}`;
}

/** `41 s`, `3 min`, `2 h 5 min`, `4 d 3 h`: two units at most, for people */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${Math.floor(hours / 24)} d`;
}

/** `14:05:09`, with the date when it is not today */
export function clock(at: number, now = Date.now()): string {
  const then = new Date(at);
  const time = then.toLocaleTimeString('en-GB');
  return then.toDateString() === new Date(now).toDateString() ? time : `${then.toLocaleDateString('en-CA')} ${time}`;
}

/** `12.5 %` */
export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
