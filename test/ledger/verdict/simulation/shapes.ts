import type { SeededRandom } from '../../../guarantees/seeded-random';
import type { MemoryShape } from './memory';
import type { PopulationShape } from './population';

/** A population or a course of memory, with what has to become of its verdict. */
export interface Shape {
  readonly name: string;
  readonly isLeak: boolean;
  readonly hours: number;
  /** What becomes of the only line there is. */
  readonly population?: PopulationShape;
  readonly memory?: MemoryShape;
  /** Whose verdict it is. Default: that of the line. */
  readonly subject?: 'heap' | 'external' | 'native' | 'fds';
  /** Units of work finished per second. */
  work?(seconds: number): number;
  /** Connections that peers hold open to us. */
  inbound?(seconds: number): number;
}

const exp = (mean: number) => (random: SeededRandom) => -Math.log(1 - random.next()) * mean;
const fixed = (seconds: number) => () => seconds;
const always = (rate: number) => () => rate;
const day = (seconds: number): number => 1 + 0.8 * Math.sin((2 * Math.PI * seconds) / 86_400);
const lognormal = (median: number, sigma: number) => (random: SeededRandom) =>
  median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next()));

/** A level of 500 that wanders by 22. */
const traffic500 = { rate: always(500 / 60), life: exp(60) };

/** Timers that each set themselves again when they fire: `perSecond` chains more from `from` on, besides those that are meant. */
const chains = (perSecond: number, renewedEvery: number, { from = 0, healthy = 0 } = {}): PopulationShape => ({
  nature: 'local',
  waitsForItsTime: true,
  streams: [
    {
      rate: (s) =>
        perSecond * (s > from ? 1 : 0) + (healthy + perSecond * Math.max(0, s - renewedEvery - from)) / renewedEvery,
      life: fixed(renewedEvery),
    },
  ],
});

/** One more per request, of which there are more and more for 3 min; each renews itself every 5 s. */
const risingChains: PopulationShape = {
  nature: 'local',
  waitsForItsTime: true,
  streams: [{ rate: (s) => Math.min(1, s / 180) + Math.min((s * s) / 360, s - 90) / 5, life: fixed(5) }],
};

const healthy = (name: string, hours: number, population: PopulationShape, more: Partial<Shape> = {}): Shape => ({
  name,
  isLeak: false,
  hours,
  population,
  ...more,
});
const leak = (name: string, hours: number, population: PopulationShape, more: Partial<Shape> = {}): Shape => ({
  name,
  isLeak: true,
  hours,
  population,
  ...more,
});

const amount = (
  subject: NonNullable<Shape['subject']>,
  name: string,
  hours: number,
  memory: MemoryShape,
  work?: Shape['work'],
): Shape => ({ name: `${subject}: ${name}`, isLeak: false, hours, memory, subject, work });
const rising = (
  subject: NonNullable<Shape['subject']>,
  name: string,
  hours: number,
  memory: MemoryShape,
  work?: Shape['work'],
): Shape => ({
  ...amount(subject, name, hours, memory, work),
  isLeak: true,
});

/** A load that begins after 10 min of rest, and what it leaves for the collector. */
const LOAD_AT = 600;
const load = (s: number): number => (s > LOAD_AT ? 100 : 0);
const loadGarbage = (s: number): number => (s > LOAD_AT ? 4 : 0.1);
const loaded = (seconds: number): number => Math.max(0, seconds - LOAD_AT);

export const shapes: readonly Shape[] = [
  healthy('steady traffic, 50 alive', 4, { streams: [{ rate: always(50 / 60), life: exp(60) }] }),
  healthy('fixed pool of 20 made at the start', 2, {
    streams: [{ rate: (s) => (s < 5 ? 20 : 0) }],
    cap: { at: () => 20, when: 'refuse' },
  }),
  healthy('bursts, 200 to 500 alive', 4, {
    streams: [{ rate: (s) => (s % 300 < 60 ? 50 : 20), life: exp(10) }],
  }),
  healthy('sawtooth of 4 min', 4, { streams: [{ rate: always(1) }], resetEvery: 240 }),
  healthy('sawtooth of 20 min', 4, { streams: [{ rate: always(1) }], resetEvery: 1_200 }),
  healthy(
    'batch of 1,000 pieces of work, then flushed',
    2,
    { streams: [{ perWork: 1 }], resetEvery: 200 },
    { work: always(5) },
  ),
  healthy('warm-up of 4 min, then level', 3, {
    streams: [{ rate: always(1) }],
    cap: { at: () => 240, when: 'refuse' },
  }),
  healthy('cache filling to its cap in 20 min', 4, {
    streams: [{ rate: always(1) }],
    cap: { at: () => 1_200, when: 'refuse' },
  }),
  healthy('cache filling ever slower (15 min)', 4, { streams: [{ rate: (s) => 2 * Math.exp(-s / 900) }] }),
  healthy('cache at its cap, least recently used go', 4, {
    streams: [{ rate: (s) => (s < 60 ? 20 : 2) }],
    cap: { at: () => 1_000, when: 'evict' },
  }),
  healthy(
    'one per key of 100 keys, found by the work',
    2,
    {
      streams: [{ rate: (s) => 5 * Math.exp(-(5 * s) / 100) }],
    },
    { work: always(5) },
  ),
  healthy('pool resized in steps', 4, {
    streams: [{ rate: always(2) }],
    cap: { at: (s) => 20 + 20 * (Math.floor(s / 1_800) % 3), when: 'evict' },
  }),
  healthy('traffic ramp, 50 to 200 alive', 4, {
    streams: [{ rate: (s) => (50 + 150 * Math.min(1, s / 7_200)) / 60, life: exp(60) }],
  }),
  healthy('kept-alive sockets that follow a ramp', 4, {
    streams: [{ rate: (s) => (50 + 150 * Math.min(1, s / 7_200)) / 300, life: exp(300) }],
  }),
  healthy('day and night, short lives', 24, { streams: [{ rate: (s) => 2 * day(s), life: exp(30) }] }),
  healthy('day and night, connections of 20 min', 24, { streams: [{ rate: (s) => 0.2 * day(s), life: exp(1_200) }] }),
  healthy('overload: lives 20 times as long for 5 min', 3, {
    streams: [{ rate: always(5), life: (random, s) => exp(s > 3_600 && s < 3_900 ? 40 : 2)(random) }],
  }),
  healthy('batch of the hour, 300 for 10 min', 6, {
    streams: [{ rate: (s) => (s % 3_600 < 30 ? 10 : 0), life: fixed(600) }],
  }),
  healthy('lives of very different length', 6, { streams: [{ rate: always(1), life: lognormal(20, 1.5) }] }),
  healthy(
    'first burst of the day, one each per request, 60 s long',
    2,
    {
      streams: [{ perWork: 1, life: fixed(60) }],
    },
    { work: (s) => (s > 1_800 && s < 2_100 ? 20 : 0.2) },
  ),
  healthy(
    'heartbeat per connection while clients connect',
    2,
    {
      nature: 'local',
      streams: [{ perWork: 1, life: exp(7_200) }],
      cap: { at: () => 800, when: 'refuse' },
    },
    { work: (s) => (s < 60 ? 10 : 0.5), inbound: (s) => Math.min(800, 10 * s) },
  ),

  healthy('one per tenant of 300, kept from its first use', 3, {
    streams: [{ rate: (s) => 20 * Math.exp((-20 * s) / 300) }],
  }),
  healthy('batch of 400 sockets in 40 s, every minute', 2, {
    streams: [{ rate: (s) => (s % 60 < 40 ? 10 : 0) }],
    resetEvery: 60,
  }),
  healthy('peer hangs for 50 s: 20 requests per second wait', 2, {
    streams: [{ rate: always(20), life: (random, s) => (s > 3_600 && s < 3_650 ? 3_655 - s : exp(0.2)(random)) }],
  }),
  healthy(
    'a socket for each connection, while 900 clients connect',
    2,
    { streams: [{ rate: (s) => (s < 60 ? 15 : 0.1), life: exp(7_200) }], cap: { at: () => 900, when: 'refuse' } },
    { inbound: (s) => Math.min(900, 15 * s) },
  ),

  healthy(
    'a timer of 5 s per request, while the requests grow tenfold',
    1,
    { nature: 'local', waitsForItsTime: true, streams: [{ perWork: 1, life: fixed(5) }] },
    { work: (s) => 5 + Math.min(45, s / 10) },
  ),
  healthy(
    'a timer of 5 s per message, tenfold, while pings stay as they are',
    1,
    { nature: 'local', waitsForItsTime: true, streams: [{ rate: (s) => 5 + Math.min(45, s / 10), life: fixed(5) }] },
    { work: always(0.1) },
  ),
  healthy(
    'a timer of 5 s per message, tenfold in two hours, while pings stay as they are',
    4,
    { nature: 'local', waitsForItsTime: true, streams: [{ rate: (s) => 5 + Math.min(45, s / 160), life: fixed(5) }] },
    { work: always(0.1) },
  ),
  healthy('20 chains of timers that are meant, each renewed every second', 4, chains(0, 1, { healthy: 20 }), {
    work: always(10),
  }),

  amount('heap', 'level, with garbage', 3, {}),
  amount('heap', 'warm-up of 4 min by 20 MiB, ever slower', 3, { heap: (s) => 40 - 20 * Math.exp(-s / 80) }),
  amount(
    'heap',
    'warm-up by 8 MiB in 45 s when a load begins',
    1,
    { heap: (s) => 20 + 8 * Math.min(1, loaded(s) / 45), garbage: loadGarbage },
    load,
  ),
  amount(
    'heap',
    'warm-up by 15 MiB, ever slower, when a load begins',
    1,
    { heap: (s) => 20 + 15 * (1 - Math.exp(-loaded(s) / 40)), garbage: loadGarbage },
    load,
  ),
  amount(
    'heap',
    'warm-up by 10 MiB in a minute after each tenfold rise of the load',
    2,
    {
      heap: (s) => 20 + [0, 1_800, 3_600].reduce((sum, at) => sum + 10 * Math.min(1, Math.max(0, s - at) / 60), 0),
      garbage: () => 3,
    },
    (s) => (s < 1_800 ? 1 : s < 3_600 ? 10 : 100),
  ),
  amount('heap', 'cache of 60 MiB filling at 0.1 MiB/s', 4, { heap: (s) => 20 + Math.min(60, 0.1 * s) }),
  amount('heap', 'cache of 60 MiB filling ever slower', 4, { heap: (s) => 80 - 60 * Math.exp(-s / 600) }),
  amount('heap', 'day and night, sessions of 30 MiB', 24, { heap: (s) => 20 + 15 * day(s) }, (s) => 2 * day(s)),
  amount('heap', 'report of 40 MiB for 5 min each hour', 6, { heap: (s) => 20 + (s % 3_600 < 300 ? 40 : 0) }),
  amount('heap', 'backlog that builds for 8 min and drains', 4, {
    heap: (s) => 20 + 30 * (1 - Math.abs(((s % 960) - 480) / 480)),
  }),
  amount('heap', 'much garbage', 3, { garbage: (s) => 4 + 3 * Math.sin(s / 200) }),
  amount('external', 'bursts of Buffers', 3, { external: (s) => 2 + (s % 120 < 20 ? 40 : 0) }),
  amount('external', 'buffer pool filling to 32 MiB in 2 min', 3, { external: (s) => 2 + Math.min(30, s / 4) }),
  amount('native', 'allocator keeps ever more, at 10 KiB/s', 6, { native: (s) => 45 + s / 100 }),
  amount('fds', 'files opened and closed', 3, { fds: (s) => 20 + 15 * Math.sin(s / 60) }),
  amount('fds', 'descriptors that follow a day', 24, { fds: (s) => 40 * day(s) }, (s) => 2 * day(s)),

  leak('2 per second from the start', 1, { streams: [{ rate: always(2) }] }),
  leak('2 per second among 100 of traffic', 2, {
    streams: [{ rate: always(100 / 20), life: exp(20) }, { rate: always(2) }],
  }),
  leak('1 per 10 s on 50', 2, { streams: [{ rate: always(50 / 60), life: exp(60) }, { rate: always(0.1) }] }),
  leak('1 per 10 s on 500', 3, { streams: [traffic500, { rate: always(0.1) }] }),
  leak('1 per 60 s on 500', 6, { streams: [traffic500, { rate: always(1 / 60) }] }),
  leak('1 % of a day’s traffic', 24, {
    streams: [{ rate: (s) => 2 * day(s), life: exp(30) }, { rate: (s) => 0.02 * day(s) }],
  }),
  leak('50 at once, every 10 min or so', 6, {
    streams: [{ rate: always(50 / 60), life: exp(60) }, { rate: (s) => (s % 600 < 5 ? 10 : 0) }],
  }),
  leak('one per request, 100 requests per second', 0.1, { streams: [{ perWork: 1 }] }, { work: always(100) }),
  leak('one per command, 70 commands per hour', 2, { streams: [{ perWork: 1 }] }, { work: always(70 / 3_600) }),
  leak('one per 10 requests, 50 requests per second', 1, { streams: [{ perWork: 0.1 }] }, { work: always(50) }),
  leak('one client per second, no work known', 1, { nature: 'few', streams: [{ rate: always(1) }] }),
  leak('begins after 30 min of level traffic', 2, {
    streams: [{ rate: always(50 / 20), life: exp(20) }, { rate: (s) => (s > 1_800 ? 1 : 0) }],
  }),
  leak(
    'one per command, nights without work',
    24,
    { streams: [{ perWork: 1 }] },
    {
      work: (s) => (s % 43_200 < 21_600 ? 0.05 : 0),
    },
  ),
  leak('20 sockets per second, no work known', 1, { streams: [{ rate: always(20) }] }),
  leak('5 sockets per second, no work known', 1, { streams: [{ rate: always(5) }] }),
  leak('1 % of 100 requests per second, at a line of short ones', 2, {
    streams: [{ rate: always(99), life: exp(0.1) }, { rate: always(1) }],
  }),
  leak(
    'begins after 20 min of calm, one per request',
    1,
    { streams: [{ perWork: 1 }] },
    { work: (s) => (s > 1_200 ? 10 : 0.0001) },
  ),
  leak(
    'one in 10 of the requests while they double',
    2,
    { streams: [{ perWork: 0.1 }] },
    { work: (s) => 10 + s / 360 },
  ),
  leak('a chain of timers per request, each renewed every 5 s', 0.5, chains(1, 5), { work: always(1) }),
  leak('a chain of timers per command, 70 commands per hour, renewed every second', 4, chains(70 / 3_600, 1), {
    work: always(70 / 3_600),
  }),
  leak('a chain of timers per request, each renewed every 2 min', 2, chains(0.5, 120), { work: always(0.5) }),
  leak('a chain of timers per request, beside 20 healthy ones', 2, chains(0.2, 5, { healthy: 20 }), {
    work: always(0.2),
  }),
  leak('a chain of timers per request, from when a load begins', 1, chains(1, 5, { from: LOAD_AT }), {
    work: (s) => (s > LOAD_AT ? 1 : 0),
  }),
  leak('a chain of timers per request, while the load rises for 3 min and then stays', 2, risingChains, {
    work: (s) => Math.min(1, s / 180),
  }),
  rising('heap', '1 MiB/s', 0.5, { heap: (s) => 20 + s }),
  rising('heap', '100 KiB/s', 1, { heap: (s) => 20 + s / 10 }),
  rising('heap', '10 KiB/s', 4, { heap: (s) => 20 + s / 100 }),
  rising('heap', '100 KiB/s after 30 min of calm', 2, { heap: (s) => 20 + Math.max(0, s - 1_800) / 10 }),
  rising('heap', '100 KiB/s among 4 MiB/s of garbage', 1, { heap: (s) => 20 + s / 10, garbage: always(4) }),
  rising(
    'heap',
    '100 KiB/s from when a load begins',
    1,
    { heap: (s) => 20 + loaded(s) / 10, garbage: loadGarbage },
    load,
  ),
  rising(
    'heap',
    '1 MiB/s after a warm-up by 8 MiB when a load begins',
    0.5,
    { heap: (s) => 20 + 8 * Math.min(1, loaded(s) / 45) + loaded(s), garbage: loadGarbage },
    load,
  ),
  rising(
    'heap',
    '20 KiB/s while the load comes and goes every 2 min',
    3,
    {
      heap: (s) => 20 + (Math.floor(s / 240) * 120 + Math.min(120, s % 240)) / 50,
      garbage: (s) => (s % 240 < 120 ? 4 : 0.2),
    },
    (s) => (s % 240 < 120 ? 100 : 0),
  ),
  rising('external', '200 KiB/s', 1, { external: (s) => 2 + s / 5 }),
  rising('fds', '1 per second that nothing accounts for', 1, { fds: (s) => s }),
  rising('fds', '1 per minute that nothing accounts for', 6, { fds: (s) => s / 60 }),
];
