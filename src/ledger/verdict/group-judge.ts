import { AgedFloor } from './aged-floor.js';
import type { GroupReading } from './detector-sample.js';
import { type Evidence, unclosedEvidence } from './evidence.js';
import { GrowthTrace } from './growth-trace.js';
import type { Moment } from './moment.js';
import { parameters } from './verdict-parameters.js';
import { VerdictState } from './verdict-state.js';

/** Judges one line, from reading to reading. */
export class GroupJudge {
  readonly aged = new AgedFloor();
  readonly standing = new VerdictState();
  private readonly trace = new GrowthTrace();
  /** Highest level it came down from by half: as much was healthy once. */
  private peakKnown = 0;
  private peak = 0;

  /** @param before the last moment at which there was too little of it to be followed */
  constructor(
    public reading: GroupReading,
    before?: Moment,
  ) {
    const { ended } = reading;
    if (!before) return;
    const live = reading.inBytes ? 0 : parameters.followItems - 1;
    this.trace.push({ moment: before, live, opened: live + ended, ended });
  }

  take(reading: GroupReading, moment: Moment, ceiling: number | null): void {
    this.reading = reading;
    const { live, opened, ended } = reading;
    this.trace.push({ moment, live, opened, ended });
    if (this.aged.push(moment.atMs, reading)) this.standing.measureAnew();
    this.learnPeak(live);
    const unclosed = reading.inBytes ? null : unclosedEvidence(this.trace.points, reading);
    this.standing.take({
      moment,
      live,
      aged: reading.aged,
      opened,
      level: this.trace.first.live,
      evidence:
        ceiling === null
          ? stronger(this.doubted(unclosed, live), this.aged.evidence(reading))
          : ceilingEvidence(live, ceiling),
      isDecidable: this.aged.isFilled,
      smallest: reading.inBytes ? parameters.heapGrowthBytes : parameters.stallItems,
    });
    if (this.standing.hasJustRetracted) {
      if (this.standing.retractedBy === 'fell') this.peakKnown = Math.max(this.peakKnown, this.peak);
      this.trace.restart();
    }
  }

  /** What was reached once and given back is no leak when it is reached again. */
  private doubted(evidence: Evidence | null, live: number): Evidence | null {
    if (evidence === null || live > parameters.peakFactor * this.peakKnown) return evidence;
    return { ...evidence, strength: Math.min(evidence.strength, parameters.growingShare / 2) };
  }

  private learnPeak(live: number): void {
    if (live > this.peak) this.peak = live;
    else if (live <= this.peak / 2 && this.peak >= 2 * parameters.fewestItems) {
      this.peakKnown = Math.max(this.peakKnown, this.peak);
      this.peak = live;
    }
  }
}

function stronger(a: Evidence | null, b: Evidence | null): Evidence | null {
  if (a === null || b === null) return a ?? b;
  return a.strength >= b.strength ? a : b;
}

function ceilingEvidence(live: number, ceiling: number): Evidence | null {
  if (live <= ceiling) return null;
  return { ground: 'ceiling', strength: 2, growth: live - ceiling, spanMs: 0, ratePerMs: 0 };
}
