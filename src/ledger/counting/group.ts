import type { GroupOrigin } from '../capture/group-origin.js';
import type { ShownOrigin } from '../positions/shown-place.js';
import { Lifetimes } from './lifetimes.js';
import { LedgerRecord, type RecordCounter } from './record-slot.js';

/** The counter of a kind, as its groups see it. */
export interface GroupCounter extends RecordCounter {
  groupFor(origin: GroupOrigin, via: string | null): Group;
  overflowGroup(label: string): Group;
}

/** Resources of one kind made at one place. All counts are weighted: `created` 8 may be one capture of weight 8. */
export class Group {
  created = 0;
  closed = 0;
  collectedOpen = 0;
  live = 0;
  peak = 0;
  liveBytes = 0;
  /** Σ w(w−1) over what is alive: the variance of `live` as an estimate. */
  variance = 0;
  readonly lifetimes = new Lifetimes();
  /** Stable over restarts; null until it is prepared. */
  id: string | null = null;
  /** Its lines as they are shown; null until it is prepared. */
  shown: ShownOrigin | null = null;
  /** Of what is watched, as it was last read: here, because to look each group up was what reading cost. */
  readonly ages = { readBy: 0, weight: 0, weightedMs: 0, oldestMs: 0 };

  private readonly shares = new Map<number, LedgerRecord>();
  private readonly heirs = new Map<GroupCounter, Group>();
  // What is asked for with every resource, without a look into the maps.
  private single: LedgerRecord | null = null;
  private lastHeir: Group | null = null;
  private anchorLive = 0;
  private anchorMs: number;
  private nextAnchorLive = 0;
  private nextAnchorMs: number;

  constructor(
    readonly counter: GroupCounter,
    readonly origin: GroupOrigin,
    /** Kind of the resource through which these came to be, e.g. a socket's redis client. */
    readonly via: string | null,
    /** Set on the group that takes what does not fit: `(other)` or `(unknown)`. */
    readonly overflow: string | null,
    nowMs: number,
  ) {
    this.anchorMs = nowMs;
    this.nextAnchorMs = nowMs;
  }

  open(weight: number, bytes: number): void {
    this.created += weight;
    this.live += weight;
    this.liveBytes += bytes;
    this.variance += weight * (weight - 1);
    if (this.live > this.peak) this.peak = this.live;
  }

  close(weight: number, bytes: number): void {
    this.closed += weight;
    this.leave(weight, bytes);
  }

  collect(weight: number, bytes: number): void {
    this.collectedOpen += weight;
    this.leave(weight, bytes);
  }

  /** Taken back: it turned out to belong to another group, or never came to be. */
  withdraw(weight: number, bytes: number): void {
    this.created -= weight;
    this.leave(weight, bytes);
  }

  private leave(weight: number, bytes: number): void {
    this.live = Math.max(0, this.live - weight);
    this.liveBytes = Math.max(0, this.liveBytes - bytes);
    this.variance = Math.max(0, this.variance - weight * (weight - 1));
  }

  /** The record shared by all resources of this group that have none of their own. */
  share(weight: number): LedgerRecord {
    if (weight === 1 && this.single) return this.single;
    let share = this.shares.get(weight);
    if (!share) {
      share = new LedgerRecord(this.counter, this, weight);
      this.shares.set(weight, share);
      if (weight === 1) this.single = share;
    }
    return share;
  }

  /** The group of another kind at the same place, for what the resources of this group own. */
  heir(counter: GroupCounter): Group {
    if (this.lastHeir?.counter === counter) return this.lastHeir;
    let heir = this.heirs.get(counter);
    if (!heir) {
      heir = this.overflow ? counter.overflowGroup(this.overflow) : counter.groupFor(this.origin, this.counter.kind);
      this.heirs.set(counter, heir);
    }
    this.lastHeir = heir;
    return heir;
  }

  /** Growth of `live` per second over the last 30 to 60 seconds (or since the group exists, when younger). */
  growthPerSecond(nowMs: number): number {
    const elapsedMs = nowMs - this.anchorMs;
    return elapsedMs < 500 ? 0 : ((this.live - this.anchorLive) / elapsedMs) * 1000;
  }

  /** To be called every 30 s. */
  moveAnchor(nowMs: number): void {
    this.anchorLive = this.nextAnchorLive;
    this.anchorMs = this.nextAnchorMs;
    this.nextAnchorLive = this.live;
    this.nextAnchorMs = nowMs;
  }

  /** Cuts every object that points here loose. */
  release(): void {
    for (const share of this.shares.values()) {
      share.counter = null;
      share.group = null;
    }
    this.shares.clear();
    this.heirs.clear();
    this.single = null;
    this.lastHeir = null;
  }
}
