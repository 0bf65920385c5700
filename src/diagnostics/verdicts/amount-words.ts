/** Bytes, rates and times as people say them. */

export function bytesText(bytes: number): string {
  const size = Math.abs(bytes);
  if (size < 1_024) return `${Math.round(bytes)} B`;
  if (size < 1_024 ** 2) return `${(bytes / 1_024).toFixed(1)} KiB`;
  if (size < 10 * 1_024 ** 2) return `${(bytes / 1_024 ** 2).toFixed(1)} MiB`;
  if (size < 10 * 1_024 ** 3) return `${Math.round(bytes / 1_024 ** 2)} MiB`;
  return `${(bytes / 1_024 ** 3).toFixed(1)} GiB`;
}

/** A rate of items: by the second where that reads well, else by the minute or hour. */
export function rateText(perSecond: number): string {
  if (perSecond >= 0.095) return `+${digits(perSecond)}/s`;
  if (perSecond >= 0.0095) return `+${digits(perSecond * 60)}/min`;
  return `+${digits(perSecond * 3_600)}/h`;
}

export function timeText(ms: number): string {
  if (ms < 90_000) return `${Math.max(1, Math.round(ms / 1_000))} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${(ms / 3_600_000).toFixed(1)} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}

function digits(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}
