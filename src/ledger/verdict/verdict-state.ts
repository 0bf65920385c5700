import type { Evidence } from './evidence.js';
import type { Moment } from './moment.js';
import { parameters } from './verdict-parameters.js';

export type State = 'not-enough-data' | 'not-leaking' | 'growing' | 'leaking' | 'retracted';

/** What a verdict stands on at one reading. */
export interface Standing {
  readonly moment: Moment;
  readonly live: number;
  readonly aged: number;
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
  private base = 0;
  private top = 0;
  private evidenceMs = 0;
  /** How fast they were made while the evidence was there. */
  private openedPerMs = 0;

  take(standing: Standing): void {
    const { moment, evidence, isDecidable } = standing;
    this.hasJustRetracted = false;
    if (evidence && evidence.strength >= 1) this.leaking(standing, evidence);
    else if (this.state === 'leaking') this.follow(standing);
    else if (evidence && evidence.strength >= parameters.growingShare) this.growing(standing, evidence);
    else if (this.state === 'growing') this.fade(standing);
    else if (this.state === 'retracted') {
      if (moment.atMs - this.sinceMs >= parameters.retractedMs) this.become('not-leaking', moment.atMs);
    } else if (isDecidable) this.become('not-leaking', moment.atMs);
    else this.become('not-enough-data', moment.atMs);
  }

  /** The unit of `aged` has changed: growth is measured from the next reading on. */
  measureAnew(): void {
    this.anchor = null;
  }

  private leaking(standing: Standing, evidence: Evidence): void {
    this.ground = evidence;
    this.evidenceMs = standing.moment.atMs;
    if (this.state !== 'leaking') {
      if (this.state !== 'growing') this.begin(standing);
      this.become('leaking', standing.moment.atMs);
      this.anchor = null;
    }
    this.follow(standing);
  }

  private growing(standing: Standing, evidence: Evidence): void {
    this.ground = evidence;
    this.evidenceMs = standing.moment.atMs;
    // Taken back a moment ago: half the evidence does not bring it back.
    if (this.state === 'retracted' && standing.moment.atMs - this.sinceMs < parameters.growingGraceMs) return;
    if (this.state !== 'growing') this.begin(standing);
    this.become('growing', standing.moment.atMs);
    this.top = Math.max(this.top, standing.live);
  }

  /** Growing without evidence: for a while, then no longer. */
  private fade(standing: Standing): void {
    const { atMs } = standing.moment;
    this.top = Math.max(this.top, standing.live);
    if (this.hasFallen(standing.live)) return this.retract('fell', atMs);
    if (atMs - this.evidenceMs >= parameters.growingGraceMs) this.retract('stalled', atMs);
  }

  /** Leaking: does what was foretold still come true? */
  private follow(standing: Standing): void {
    const { moment, live } = standing;
    const ground = this.ground!;
    this.top = Math.max(this.top, live);
    if (ground.ground === 'ceiling') {
      if (standing.evidence?.ground !== 'ceiling') this.retract('fell', moment.atMs);
      return;
    }
    if (this.hasFallen(live)) return this.retract('fell', moment.atMs);
    const value = ground.ground === 'aged' ? standing.aged : live;
    this.anchor ??= { value, opened: standing.opened, moment };
    const elapsedMs = moment.atMs - this.anchor.moment.atMs;
    const due = dueGrowth(ground, this.anchor.moment, moment) * this.traffic(standing, this.anchor);
    this.isIdle = ground.tie !== undefined && due === 0 && elapsedMs >= parameters.stallMs;
    const enough = Math.max(standing.smallest, parameters.stallGrowthShare * (this.top - this.base));
    if (elapsedMs < parameters.stallMs || due < enough) return;
    // Growth that is seen at long windows may come in bursts: it is given as long before it is missed.
    if (ground.ground !== 'tied' && elapsedMs < ground.spanMs / 4) return;
    if (value - this.anchor.value < parameters.stallShare * due) return this.retract('stalled', moment.atMs);
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

  private hasFallen(live: number): boolean {
    return live < this.top - parameters.fallShare * (this.top - this.base) && this.top - live >= parameters.growthItems;
  }

  private begin({ level, live }: Standing): void {
    this.base = Math.min(level, live);
    this.top = live;
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
