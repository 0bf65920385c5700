import { Lifetimes } from '../../../../src/ledger/counting/lifetimes';
import type { KindNature } from '../../../../src/ledger/counting/kind-counter';
import type { GroupReading } from '../../../../src/ledger/verdict/detector-sample';
import type { SeededRandom } from '../../../guarantees/seeded-random';

/** One stream of births at a line. */
export interface Stream {
  /** Births per second at a time (in seconds since the start). */
  rate?(seconds: number): number;
  /** Births per unit of work finished. */
  perWork?: number;
  /** Seconds one lives. Default: for ever. */
  life?(random: SeededRandom, seconds: number): number;
}

/** What is made at one line, and how it ends. */
export interface PopulationShape {
  nature?: KindNature;
  streams: readonly Stream[];
  /** At most so many: beyond it the oldest ends (`evict`), or none is made (`refuse`). */
  cap?: { at(seconds: number): number; when: 'evict' | 'refuse' };
  /** Timers: each ends by itself at a known time, and none counts as alive until that has passed. */
  waitsForItsTime?: boolean;
  /** All of them end at once, every so many seconds. */
  resetEvery?: number;
}

interface Item {
  bornMs: number;
  endsMs: number;
}

const poisson = (mean: number, random: SeededRandom): number => {
  if (mean > 50) {
    // Normal with the same mean and spread.
    const [u, v] = [random.next(), random.next()];
    return Math.max(
      0,
      Math.round(mean + Math.sqrt(mean) * Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v)),
    );
  }
  let count = 0;
  for (let left = Math.exp(-mean), product = random.next(); product > left; product *= random.next()) count++;
  return count;
};

/** A population that is born and dies in simulated time. */
export class Population {
  private items: Item[] = [];
  private ended = 0;
  private readonly lives = new Lifetimes();
  private nextResetMs: number;
  private workLeft = 0;

  constructor(
    private readonly shape: PopulationShape,
    private readonly random: SeededRandom,
  ) {
    this.nextResetMs = (shape.resetEvery ?? Infinity) * 1_000;
  }

  /** Lets the time from `fromMs` to `toMs` pass, in which `work` units were finished. */
  pass(fromMs: number, toMs: number, work: number): void {
    const { shape, random } = this;
    for (const { rate, perWork, life } of shape.streams) {
      let births = rate ? poisson(rate(toMs / 1_000) * ((toMs - fromMs) / 1_000), random) : 0;
      if (perWork) {
        this.workLeft += work * perWork;
        births += Math.floor(this.workLeft);
        this.workLeft -= Math.floor(this.workLeft);
      }
      for (let index = 0; index < births; index++) {
        const bornMs = fromMs + random.next() * (toMs - fromMs);
        const endsMs = life ? bornMs + life(random, toMs / 1_000) * 1_000 : Infinity;
        if (shape.cap?.when === 'refuse' && this.items.length >= shape.cap.at(toMs / 1_000)) break;
        this.items.push({ bornMs, endsMs });
      }
    }
    if (toMs >= this.nextResetMs) {
      this.nextResetMs += shape.resetEvery! * 1_000;
      this.items.forEach((item) => (item.endsMs = toMs));
    }
    if (shape.cap) {
      const over = this.items.length - shape.cap.at(toMs / 1_000);
      for (let index = 0; index < over; index++) this.items[index]!.endsMs = toMs;
    }
    const alive = this.items.filter((item) => item.endsMs > toMs);
    for (const item of this.items) if (item.endsMs <= toMs) this.lives.add(item.endsMs - item.bornMs);
    this.ended += this.items.length - alive.length;
    this.items = alive;
  }

  get live(): number {
    return this.items.length;
  }

  reading(id: string, nowMs: number, gateMs: number): GroupReading {
    const summary = this.lives.summary();
    const lives = summary && { count: summary.closedCount, medianMs: summary.median, p95Ms: summary.p95 };
    const live = this.shape.waitsForItsTime ? 0 : this.items.length;
    return {
      id,
      kind: 'simulated',
      nature: this.shape.nature ?? 'outbound',
      lingers: false,
      inBytes: false,
      place: `${id}.ts:1`,
      around: id,
      via: null,
      live,
      held: this.items.length,
      opened: live + this.ended,
      ended: this.ended,
      aged: this.shape.waitsForItsTime ? 0 : this.items.filter(({ bornMs }) => nowMs - bornMs >= gateMs).length,
      error: 0,
      lives,
      kindLives: lives,
    };
  }
}
