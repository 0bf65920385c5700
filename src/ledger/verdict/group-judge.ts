import { AgedFloor } from './aged-floor.js';
import type { GroupReading } from './detector-sample.js';
import { type Evidence, unclosedEvidence } from './evidence.js';
import { GrowthTrace } from './growth-trace.js';
import { KnownPeak } from './known-peak.js';
import type { Moment, MomentHistory } from './moment.js';
import { Renewal } from './renewal.js';
import { parameters } from './verdict-parameters.js';
import { VerdictState } from './verdict-state.js';

/** Judges one line, from reading to reading. */
export class GroupJudge {
  readonly aged = new AgedFloor();
  readonly standing = new VerdictState();
  private readonly trace = new GrowthTrace();
  private readonly renewal = new Renewal();
  private readonly peaks = new KnownPeak(2 * parameters.fewestItems);

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

  /** See {@link GrowthTrace.growthOver}. */
  growthOver(spanMs: number): number | null {
    return this.trace.growthOver(spanMs);
  }

  take(reading: GroupReading, moment: Moment, history: MomentHistory, ceiling: number | null): void {
    this.reading = reading;
    const { live, opened, ended } = reading;
    this.trace.push({ moment, live, opened, ended });
    if (this.aged.push(moment.atMs, reading)) this.standing.measureAnew();
    this.peaks.learn(live);
    this.renewal.push(moment, reading);
    const unclosed = reading.inBytes ? null : unclosedEvidence(this.trace.points, reading, history);
    this.standing.take({
      moment,
      live,
      aged: reading.aged,
      opened,
      level: this.trace.first.live,
      evidence:
        ceiling === null
          ? strongest(
              this.doubted(unclosed, live),
              this.aged.evidence(reading, history),
              this.renewal.evidence(reading, history, this.isToldAsRenewed),
            )
          : ceilingEvidence(live, ceiling),
      isDecidable: this.aged.isFilled,
      smallest: reading.inBytes ? parameters.heapGrowthBytes : parameters.stallItems,
    });
    if (this.standing.hasJustRetracted) {
      if (this.standing.retractedBy === 'fell') this.peaks.giveBack();
      this.trace.restart();
    }
  }

  private get isToldAsRenewed(): boolean {
    const { state, ground } = this.standing;
    return state === 'leaking' && ground?.ground === 'renewed';
  }

  /** What was reached once and given back is no leak when it is reached again. */
  private doubted(evidence: Evidence | null, live: number): Evidence | null {
    if (evidence === null || !this.peaks.isWithin(live)) return evidence;
    return { ...evidence, strength: Math.min(evidence.strength, parameters.growingShare / 2) };
  }
}

function strongest(...all: readonly (Evidence | null)[]): Evidence | null {
  return all.reduce((most, one) => (one && (!most || one.strength > most.strength) ? one : most), null);
}

function ceilingEvidence(live: number, ceiling: number): Evidence | null {
  if (live <= ceiling) return null;
  return { ground: 'ceiling', strength: 2, growth: live - ceiling, spanMs: 0, ratePerMs: 0 };
}
