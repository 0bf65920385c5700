import type { Evidence } from './evidence.js';
import type { Moment } from './moment.js';
import { parameters } from './verdict-parameters.js';

export type State = 'not-enough-data' | 'not-leaking' | 'growing' | 'leaking' | 'retracted';

/** What a verdict stands on at one reading. */
export interface Standing {
  readonly moment: Moment;
  readonly live: number;
  readonly aged: number;
  /** The most that `live` may be by now, where it was measured some time ago. Default: `live`. */
  readonly reach?: number;
  /** Made there so far, ended or not. */
  readonly opened: number;
  /** Where the growth began. */
  readonly level: number;
  readonly evidence: Evidence | null;
  readonly isDecidable: boolean;
  /** Least growth that says anything, in the unit of `live`. */
  readonly smallest: number;
}

interface Anchor {
  readonly value: number;
  readonly opened: number;
  readonly moment: Moment;
}

/** The state of one verdict: raised by evidence, kept while what was foretold comes true, retracted when it does not. */
export class VerdictState {
  state: State = 'not-enough-data';
  sinceMs = 0;
  /** What the verdict rests on, while it is growing or leaking, and after that what it rested on. */
  ground: Evidence | null = null;
  /** Why it was retracted. */
  retractedBy: 'stalled' | 'fell' | null = null;
  hasJustRetracted = false;
  /** True while nothing can be told because no work was done that it could grow with. */
  isIdle = false;

  private anchor: Anchor | null = null;
  /** Whether growth is measured by what is aged, rather than by all that lives. */
  private byAge = false;
  /** Readings until what is aged is comparable again; 0: it is. */
  private anewIn = 0;
  private base = 0;
  private top = 0;
  private evidenceMs = 0;
  /** How fast they were made while the evidence was there. */
  private openedPerMs = 0;

  take(standing: Standing): void {
    const { moment, evidence, isDecidable } = standing;
    this.hasJustRetracted = false;
    if (this.anewIn > 0 && --this.anewIn === 0) this.begin(standing);
    if (evidence && evidence.strength >= 1) this.leaking(standing, evidence);
    else if (this.state === 'leaking') this.follow(standing);
    else if (evidence && evidence.strength >= parameters.growingShare) this.growing(standing, evidence);
    else if (this.state === 'growing') this.fade(standing);
    else if (this.state === 'retracted') {
      if (moment.atMs - this.sinceMs >= parameters.retractedMs) this.become('not-leaking', moment.atMs);
    } else if (isDecidable) this.become('not-leaking', moment.atMs);
    else this.become('not-enough-data', moment.atMs);
  }

  /** What counts as aged changes from the next reading on: growth is measured anew from there. */
  measureAnew(): void {
    this.anchor = null;
    this.anewIn = 2;
  }

  private leaking(standing: Standing, evidence: Evidence): void {
    this.rest(standing, evidence);
    if (this.state !== 'leaking') {
      if (this.state !== 'growing') this.begin(standing);
      this.become('leaking', standing.moment.atMs);
      this.anchor = null;
    }
    this.follow(standing);
  }

  private growing(standing: Standing, evidence: Evidence): void {
    this.rest(standing, evidence);
    // Taken back a moment ago: half the evidence does not bring it back.
    if (this.state === 'retracted' && standing.moment.atMs - this.sinceMs < parameters.growingGraceMs) return;
    if (this.state !== 'growing') this.begin(standing);
    this.become('growing', standing.moment.atMs);
    this.top = Math.max(this.top, this.valueOf(standing));
  }

  /** Growing without evidence: for a while, then no longer. */
  private fade(standing: Standing): void {
    const { atMs } = standing.moment;
    const value = this.valueOf(standing);
    this.top = Math.max(this.top, value);
    if (this.hasFallen(value)) return this.retract('fell', atMs);
    if (atMs - this.evidenceMs >= parameters.growingGraceMs) this.retract('stalled', atMs);
  }

  /** Leaking: does what was foretold still come true? */
  private follow(standing: Standing): void {
    const { moment } = standing;
    const ground = this.ground!;
    const value = this.valueOf(standing);
    this.top = Math.max(this.top, value);
    if (ground.ground === 'ceiling') {
      if (standing.evidence?.ground !== 'ceiling') this.retract('fell', moment.atMs);
      return;
    }
    if (ground.ground === 'renewed') {
      // How many are alive at a moment says nothing of it.
      const graceMs = Math.max(parameters.renewalGraceMs, ground.spanMs / 4);
      if (moment.atMs - this.evidenceMs >= graceMs) this.retract('stalled', moment.atMs);
      return;
    }
    if (this.hasFallen(value)) return this.retract('fell', moment.atMs);
    this.anchor ??= { value, opened: standing.opened, moment };
    const elapsedMs = moment.atMs - this.anchor.moment.atMs;
    const due = dueGrowth(ground, this.anchor.moment, moment) * this.traffic(standing, this.anchor);
    this.isIdle = ground.tie !== undefined && due === 0 && elapsedMs >= parameters.stallMs;
    const enough = Math.max(standing.smallest, parameters.stallGrowthShare * (this.top - this.base));
    if (elapsedMs < parameters.stallMs || due < enough) return;
    // Growth that is seen at long windows may come in bursts: it is given as long before it is missed.
    if (ground.ground !== 'tied' && elapsedMs < ground.spanMs / 4) return;
    const reach = standing.reach ?? value;
    if (reach - this.anchor.value < parameters.stallShare * due) return this.retract('stalled', moment.atMs);
    // What is not measured yet may still turn out to be less.
    if (value - this.anchor.value < parameters.stallShare * due) return;
    this.anchor = { value, opened: standing.opened, moment };
  }

  /** Where a share of the traffic leaks, half the traffic leaks half as much. */
  private traffic({ opened, moment, evidence }: Standing, anchor: Anchor): number {
    const elapsedMs = moment.atMs - anchor.moment.atMs;
    if (this.ground?.ground !== 'aged' || elapsedMs <= 0) return 1;
    const openedPerMs = (opened - anchor.opened) / elapsedMs;
    if (evidence?.ground === 'aged' || this.openedPerMs === 0) {
      this.openedPerMs = openedPerMs;
      return 1;
    }
    return Math.min(1, openedPerMs / this.openedPerMs);
  }

  /** What the verdict rests on from now on. */
  private rest(standing: Standing, evidence: Evidence): void {
    const byAge = evidence.ground === 'aged';
    this.ground = evidence;
    this.evidenceMs = standing.moment.atMs;
    if (byAge === this.byAge) return;
    // Short lives come and go: what they do says nothing of those that stay, and the other way round.
    this.byAge = byAge;
    this.begin(standing);
  }

  private valueOf({ live, aged }: Standing): number {
    return this.byAge ? aged : live;
  }

  private hasFallen(value: number): boolean {
    return (
      value < this.top - parameters.fallShare * (this.top - this.base) && this.top - value >= parameters.growthItems
    );
  }

  private begin(standing: Standing): void {
    const value = this.valueOf(standing);
    const level = this.byAge ? Math.max(0, value - (this.ground?.growth ?? 0)) : standing.level;
    this.base = Math.min(level, value);
    this.top = value;
    this.anchor = null;
  }

  private retract(by: 'stalled' | 'fell', atMs: number): void {
    this.retractedBy = by;
    this.hasJustRetracted = true;
    this.isIdle = false;
    this.become('retracted', atMs);
  }

  private become(state: State, atMs: number): void {
    if (state === this.state) return;
    this.state = state;
    this.sinceMs = atMs;
    if (state === 'not-leaking' || state === 'not-enough-data') this.ground = null;
  }
}

function dueGrowth({ tie, ratePerMs }: Evidence, from: Moment, to: Moment): number {
  if (!tie) return ratePerMs * (to.atMs - from.atMs);
  return tie.factor * ((to.work[tie.unit] ?? 0) - (from.work[tie.unit] ?? 0));
}
