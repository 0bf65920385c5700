import type { HistorySample } from '../../../../src/contract/recorder.schema';

/** A sample of a process of which nothing is known but what is given. */
export function sample(given: Partial<HistorySample> & { at: number }): HistorySample {
  return {
    intervalMs: 10_000,
    cpuRatio: 0,
    rssBytes: 0,
    heapUsedBytes: 0,
    heapTotalBytes: 0,
    externalBytes: 0,
    arrayBuffersBytes: 0,
    nativeBytes: 0,
    limitBytes: null,
    availableBytes: null,
    loopDelayP99Ms: null,
    loopUtilizationRatio: 0,
    gcMs: 0,
    openFdsCount: null,
    inFlightCount: null,
    kinds: {},
    growing: [],
    workPerSecond: {},
    ...given,
  };
}
