import type { HistorySample } from '../../contract/recorder.schema.js';
import { rounded } from '../rounding.js';

/** Read together at one moment: taken apart they would not add up. */
const memoryFields = [
  'rssBytes',
  'heapUsedBytes',
  'heapTotalBytes',
  'externalBytes',
  'arrayBuffersBytes',
  'nativeBytes',
  'availableBytes',
] as const satisfies readonly (keyof HistorySample)[];

/**
 * Two neighbouring samples as one that spans both: rates are averaged over the time, collections added up, the loop delay is
 * the longer one, memory is that of the moment with the larger RSS, and everything else is as it was at the end.
 */
export function mergedSample(older: HistorySample, newer: HistorySample): HistorySample {
  const intervalMs = older.intervalMs + newer.intervalMs;
  const mean = (a: number, b: number): number =>
    rounded((a * older.intervalMs + b * newer.intervalMs) / Math.max(1, intervalMs));
  const peak = older.rssBytes > newer.rssBytes ? older : newer;
  const work = new Set([...Object.keys(older.workPerSecond), ...Object.keys(newer.workPerSecond)]);
  return {
    ...newer,
    ...Object.fromEntries(memoryFields.map((field) => [field, peak[field]])),
    intervalMs: rounded(intervalMs),
    cpuRatio: mean(older.cpuRatio, newer.cpuRatio),
    loopUtilizationRatio: mean(older.loopUtilizationRatio, newer.loopUtilizationRatio),
    gcMs: rounded(older.gcMs + newer.gcMs),
    loopDelayP99Ms: longer(older.loopDelayP99Ms, newer.loopDelayP99Ms),
    workPerSecond: Object.fromEntries(
      [...work].map((name) => [name, mean(older.workPerSecond[name] ?? 0, newer.workPerSecond[name] ?? 0)]),
    ),
  };
}

/** Merges neighbours until each sample spans at least `stepMs`; the last may be shorter. Oldest first, like its input. */
export function mergedBySteps(samples: readonly HistorySample[], stepMs: number): HistorySample[] {
  const merged: HistorySample[] = [];
  for (const sample of samples) {
    const last = merged.at(-1);
    if (last !== undefined && last.intervalMs < stepMs) merged[merged.length - 1] = mergedSample(last, sample);
    else merged.push(sample);
  }
  return merged;
}

function longer(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
