/** One number of the detector: what it is and why it is what it is. `docs/verdicts.md` prints this table. */
export interface VerdictParameter {
  readonly value: number;
  readonly unit: 'ms' | 'items' | 'bytes' | 'ratio' | 'count' | 'item-seconds' | 'byte-seconds';
  readonly reason: string;
}

/** Every number the detector decides by, and no other file of it holds one. */
export const verdictParameterTable = {
  tickMs: {
    value: 5_000,
    unit: 'ms',
    reason: 'Two ticks fit into the 15 s within which a leak of one per request is named.',
  },
  baseWindowMs: {
    value: 10_000,
    unit: 'ms',
    reason: 'Shortest window; only says "growing", since a burst or a warm-up fills eight of them.',
  },
  shortWindowMs: {
    value: 30_000,
    unit: 'ms',
    reason: 'Eight windows span 4 min: longer than bursts and warm-ups of caches of code.',
  },
  middleWindowMs: {
    value: 120_000,
    unit: 'ms',
    reason: 'Eight windows span 16 min: finds what is too slow or too noisy for 4 min.',
  },
  longWindowMs: {
    value: 480_000,
    unit: 'ms',
    reason:
      'Eight windows span an hour: finds one per minute on a level of 500, and averages leaks that come in bursts.',
  },
  windowsKept: {
    value: 8,
    unit: 'count',
    reason: 'With eight, tau ≥ 0.8 has odds of 1 : 500 on a level series; more would delay every verdict.',
  },
  windowsNeeded: {
    value: 6,
    unit: 'count',
    reason: 'With six, tau ≥ 0.8 has odds of 1 : 120 on a level series, which other gates have to pass as well.',
  },
  tau: {
    value: 0.8,
    unit: 'ratio',
    reason: 'At most two of 28 pairs of windows out of order: a floor that rises, not one that wanders.',
  },
  growthItems: {
    value: 5,
    unit: 'items',
    reason: 'Less is within what a floor of a small healthy population wanders.',
  },
  growthShare: {
    value: 0.1,
    unit: 'ratio',
    reason: 'Of the level of the aged: slower growth than this matters at the next longer scale.',
  },
  growthShareOfLive: {
    value: 0.05,
    unit: 'ratio',
    reason:
      'Of all alive: long lives beyond the age gate are a few percent of a population, and rise with the traffic.',
  },
  growthShareOfLiveLong: {
    value: 0.02,
    unit: 'ratio',
    reason:
      'The same from windows of 2 min on: eight of them outlast the rises of a floor that lives beyond the gate make by chance.',
  },
  laterHalf: {
    value: 0.5,
    unit: 'ratio',
    reason: 'The second half grows at least half as fast as the first: what fills to a cap slows down.',
  },
  misfit: {
    value: 0.5,
    unit: 'ratio',
    reason: 'Farthest window from the straight line, of the growth: a step is no leak.',
  },
  shortWindowsGood: {
    value: 3,
    unit: 'count',
    reason: 'Good windows of 30 s in a row before a verdict: one good one happens by chance.',
  },
  ageFactor: {
    value: 3,
    unit: 'ratio',
    reason: 'Three times the 95th percentile of the lives seen: for exponential lives 0.01 % live longer.',
  },
  ageMinMs: {
    value: 60_000,
    unit: 'ms',
    reason: 'Under overload lives of milliseconds stretch to seconds; a minute is beyond any queue.',
  },
  ageMaxMs: {
    value: 14_400_000,
    unit: 'ms',
    reason: 'Lives beyond 4 h are not waited for: the process would be restarted first.',
  },
  livesKnown: { value: 8, unit: 'count', reason: 'Ends seen before a group counts as one whose normal life is known.' },
  ageTail: {
    value: 6,
    unit: 'ratio',
    reason:
      '95th percentile over the median of lives of one kind (exponential: 4.3); beyond it the wait grows in proportion.',
  },
  ageTailMost: {
    value: 3,
    unit: 'ratio',
    reason: 'But not further: lives of two kinds at one line would put off its verdict for hours.',
  },
  ageDropFactor: {
    value: 0.5,
    unit: 'ratio',
    reason: 'The gate follows shorter lives only when they halve: each change restarts the windows.',
  },
  ageRiseFactor: {
    value: 1.25,
    unit: 'ratio',
    reason: 'And longer ones from a quarter on: the percentile is taken from 32 lives, and wanders by less.',
  },
  dueMaxMs: {
    value: 3_600_000,
    unit: 'ms',
    reason: 'A timer within its own delay is not waiting in vain; beyond an hour that is no excuse.',
  },
  closedShare: {
    value: 0.02,
    unit: 'ratio',
    reason: 'Of those opened: up to this share of ends a group counts as one that nobody closes.',
  },
  followItems: {
    value: 2,
    unit: 'items',
    reason: 'From there on a line is followed, so that what leads up to a verdict is known.',
  },
  fewestItems: { value: 8, unit: 'items', reason: 'Fewer unclosed ones are an ordinary pool.' },
  tiedMs: {
    value: 9_500,
    unit: 'ms',
    reason: 'Longer than idle keep-alive sockets and retries take to end; two ticks, less their jitter.',
  },
  tiedItemSeconds: {
    value: 4_000,
    unit: 'item-seconds',
    reason:
      'Growth × time before growth with the work is a leak: 10 s at 100 per second, 1 min at 1 per second, 8 min at 70 per hour.',
  },
  tiedFactor: {
    value: 0.5,
    unit: 'ratio',
    reason: 'Items per unit of work from which the above holds; for fewer the evidence needed grows in proportion.',
  },
  tiedFactorLeast: {
    value: 0.005,
    unit: 'ratio',
    reason: 'Below one in 200 the work explains nothing that time does not.',
  },
  tiedFactorPlain: {
    value: 0.1,
    unit: 'ratio',
    reason:
      'Below it the work has to fit better than time alone does: one in ten is told as a share of the work, less as a pace.',
  },
  tiedFactorMany: {
    value: 4,
    unit: 'ratio',
    reason:
      'Above it the same: nobody opens five for one, but work that goes on at its own slow pace fits anything that is steady.',
  },
  tiedBetterBy: {
    value: 0.02,
    unit: 'ratio',
    reason: 'Distances from a straight line that differ by less are the same.',
  },
  perWorkLeast: {
    value: 0.0005,
    unit: 'ratio',
    reason:
      'What outlives the lives seen is told per unit of work down to one in 2,000; fewer than that is a coincidence.',
  },
  perWorkMost: { value: 20, unit: 'ratio', reason: 'More than 20 for each: the work is not what makes them.' },
  halvesAlike: {
    value: 1.5,
    unit: 'ratio',
    reason: 'Both halves of the time have to give that share within half as much again.',
  },
  historyEveryMs: { value: 60_000, unit: 'ms', reason: 'Finer than the traffic of a day changes.' },
  historyLength: {
    value: 640,
    unit: 'count',
    reason: 'Those span 10 h: the longest age that is waited for and eight windows of 8 min, and a morning of traffic.',
  },
  turnoverFactor: {
    value: 3,
    unit: 'ratio',
    reason:
      'Of the root of all that came and went beyond the gate: where some that old do end, less growth than that is chance.',
  },
  errorFactor: {
    value: 4,
    unit: 'ratio',
    reason: 'Of the standard error where a count is an estimate: less growth than that is noise of the sampling.',
  },
  tiedWork: { value: 8, unit: 'count', reason: 'Units of work before a factor is a factor.' },
  bend: {
    value: 0.1,
    unit: 'ratio',
    reason: 'Greatest distance of growth from a straight line, of the growth, beside its random error.',
  },
  bendNoise: {
    value: 1,
    unit: 'ratio',
    reason: 'Random error of the above in units of 1/√growth: what a random walk strays with odds of 1 : 4.',
  },
  bendMost: { value: 0.3, unit: 'ratio', reason: 'More is bent, whatever the random error.' },
  fewItemSeconds: {
    value: 12_000,
    unit: 'item-seconds',
    reason:
      'For kinds made to be shared (clients, pools, watchers, workers) when no work explains them: 24 s at 20 per second, 2 min at 1.',
  },
  manyItems: {
    value: 500,
    unit: 'items',
    reason:
      'Of one line, none closed, at a steady pace, no work that explains them: half of the 1,024 descriptors a process often has.',
  },
  manyPerSecond: {
    value: 3,
    unit: 'ratio',
    reason:
      'The pace, per second, from which the above holds; slower ones need more in proportion, as a cache or batch of 20 min fills at one.',
  },
  longMs: {
    value: 1_800_000,
    unit: 'ms',
    reason:
      'Other kinds that nothing explains and nobody closes: a batch of 20 min that has not reset once looks the same until then.',
  },
  renewalFactor: {
    value: 3,
    unit: 'ratio',
    reason:
      'The pace at which a line makes what it made and ended before grows by three times of what it was: no change of habit.',
  },
  renewalWorkRise: {
    value: 0.3,
    unit: 'ratio',
    reason: 'And the work did not: its pace rose by less than a third over the same time, from third to third.',
  },
  renewalMostMs: {
    value: 1_800_000,
    unit: 'ms',
    reason:
      'What took longer to become three times as much is growing at most: traffic that nothing counts does so within an hour.',
  },
  renewalGraceMs: {
    value: 120_000,
    unit: 'ms',
    reason:
      'Without further growth for so long, or a quarter of the time it was seen in, the pace is what it is: taken back.',
  },
  growingShare: {
    value: 0.25,
    unit: 'ratio',
    reason: 'Of the evidence for a leak: from there on it is told as growing.',
  },
  inboundShare: {
    value: 0.5,
    unit: 'ratio',
    reason: 'Open connections rose by this share of the growth: then it goes with them, and they may well be in use.',
  },
  lingerCollections: {
    value: 2,
    unit: 'count',
    reason: 'Full collections before what only the collector ends counts as not ended.',
  },
  stallItems: { value: 8, unit: 'items', reason: 'Growth that was due and did not come before a verdict is doubted.' },
  stallGrowthShare: { value: 0.1, unit: 'ratio', reason: 'The same as a share of the growth that led to the verdict.' },
  stallShare: {
    value: 0.25,
    unit: 'ratio',
    reason: 'Less than this share of the growth that was due: it has stopped.',
  },
  stallMs: { value: 9_500, unit: 'ms', reason: 'Never doubted within less: two ticks.' },
  fallShare: { value: 0.3, unit: 'ratio', reason: 'So much of the rise undone: something does close them.' },
  peakFactor: {
    value: 1.2,
    unit: 'ratio',
    reason: 'What came down from a peak once has to go this far beyond it before it is suspected again.',
  },
  peakFall: {
    value: 0.5,
    unit: 'ratio',
    reason: 'So much of a rise given back, and its peak counts as one that was healthy.',
  },
  trafficFactor: {
    value: 3,
    unit: 'ratio',
    reason:
      'Growth up to so many times the rise of the pace of work, from the first to the last third of the time, goes with the traffic: twice in proportion.',
  },
  growingGraceMs: {
    value: 60_000,
    unit: 'ms',
    reason: 'Growing is told for so long after its last evidence: no flicker.',
  },
  retractedMs: { value: 600_000, unit: 'ms', reason: 'A retraction stays visible for whoever saw the verdict.' },
  heapGrowthBytes: {
    value: 1_048_576,
    unit: 'bytes',
    reason: 'The floor of a small heap wanders by some hundred KiB.',
  },
  heapGrowthShare: {
    value: 0.05,
    unit: 'ratio',
    reason: 'Of the floor: compiled code and caches of the runtime move it by some percent.',
  },
  heapWarmMs: {
    value: 20_000,
    unit: 'ms',
    reason:
      'Modules and compiled code of the first seconds are left out, after the start and after each onset of more work.',
  },
  onsetFactor: {
    value: 3,
    unit: 'ratio',
    reason: 'Of the highest pace of work in 10 s so far: beyond it the heap warms up anew. Less is more of the same.',
  },
  heapBaseGood: {
    value: 2,
    unit: 'count',
    reason: 'Good windows of 10 s in a row before the heap is told as growing and looked into.',
  },
  heapLeakMs: {
    value: 20_000,
    unit: 'ms',
    reason:
      'Full collections tell of a rise for so long before it is a leak, however steep: less is one batch of work.',
  },
  heapLeakBytes: {
    value: 6_291_456,
    unit: 'bytes',
    reason: 'And it is so large: compiled code and caches of the runtime take some MiB in the first minutes.',
  },
  heapLeakByteSeconds: {
    value: 900 * 2 ** 20,
    unit: 'byte-seconds',
    reason:
      'And it has stood above where it began for so long, in sum: 21 s at 4 MiB/s, 42 s at 1 MiB/s, 2 min at 100 KiB/s. A warm-up is done by then.',
  },
  heapCollections: {
    value: 4,
    unit: 'count',
    reason:
      'Full collections in the rise: between two of them garbage looks like growth, and the first after a load begins is always higher.',
  },
  nativeGrowthBytes: { value: 8_388_608, unit: 'bytes', reason: 'The allocator keeps arenas of several MiB.' },
  bytesPerItemMost: {
    value: 262_144,
    unit: 'bytes',
    reason: 'A leaking resource explains up to so much memory each (a TLS socket with its buffers holds some 100 KiB).',
  },
  externalShare: {
    value: 0.3,
    unit: 'ratio',
    reason:
      'A line of Buffers that accounts for so much of the growth outside the heap explains it: its bytes are an estimate.',
  },
  paceShare: {
    value: 0.15,
    unit: 'ratio',
    reason: 'Two lines that grow by one, two, three for one within so much keep pace.',
  },
  fdsPerItemMost: {
    value: 4,
    unit: 'count',
    reason:
      'A leaking resource explains up to so many descriptors that are not counted: a child process holds three pipes.',
  },
  traceRecent: { value: 12, unit: 'count', reason: 'Ticks of the last minute, one by one.' },
  traceSpaced: {
    value: 16,
    unit: 'count',
    reason: 'Points of the growth before that; when there are more, every second one is dropped.',
  },
  groupsTracked: { value: 512, unit: 'count', reason: 'Lines followed at once, the largest; each takes about 2 KB.' },
  unitsTracked: { value: 4, unit: 'count', reason: 'Units of work that growth is held against.' },
  forecastLength: { value: 60, unit: 'count', reason: 'Points of memory use that its slope is taken from.' },
  forecastLeast: { value: 4, unit: 'count', reason: 'Points before a slope foretells anything.' },
  forecastCoarseMs: { value: 60_000, unit: 'ms', reason: 'Sixty points then span an hour, for what grows slowly.' },
  forecastZ: { value: 1.96, unit: 'ratio', reason: 'The interval of the slope covers 95 %.' },
} as const satisfies Record<string, VerdictParameter>;

type Parameters = { readonly [Name in keyof typeof verdictParameterTable]: number };

/** The values alone. */
export const parameters = Object.fromEntries(
  Object.entries(verdictParameterTable).map(([name, { value }]) => [name, value]),
) as Parameters;
