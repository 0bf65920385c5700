import type { TextFrame } from '../capture/parse-stack.js';
import type { GroupOrigin } from '../capture/group-origin.js';
import { type StackCapture, StackReach } from '../capture/stack-capture.js';
import type { CostMeter } from '../cost-meter.js';
import type { LedgerSettings } from '../ledger.options.js';
import { CaptureGate } from './capture-gate.js';
import { Group, type GroupCounter } from './group.js';
import { claimRecord, clearRecord, EXCLUDED, LedgerRecord, recordOf, writeRecord } from './record-slot.js';
import { Sample, type SampleCounter } from './sample.js';
import type { SampleTable } from './sample-table.js';

/** How resources of one kind live and die. */
export interface KindOptions {
  /** Frames to walk for the application's line; more only where a library is known to be deep. Default 25. */
  stackDepth?: number;
  /** True when a sampled resource is over. For kinds whose end cannot be hooked: only captured ones are watched then. */
  isOver?: (object: object) => boolean;
  /** Ends only by collection and is too frequent to follow one by one: counted through `openEstimated`. */
  estimated?: boolean;
  /** Being collected is the normal end (a Buffer, an agent without sockets) and not "dropped without close". */
  endsByCollection?: boolean;
  /** What is normal for the kind, for whoever judges its growth. Default `outbound`. */
  nature?: KindNature;
  /** As a rule nobody ends one but the collector: until that has run, being alive says little. */
  lingers?: boolean;
  /** What counts is how many bytes are held, not how many there are. */
  inBytes?: boolean;
  /** File descriptors each holds. Default 0. */
  fds?: number;
  /** In how many ms a resource just made will end by itself. */
  dueInMs?: (object: object) => number;
  /** What else a live resource of this kind holds open, for adoption when somebody looks. */
  owned?: (object: object) => Iterable<object | null | undefined>;
}

/**
 * `few`: made to be shared and kept (clients, pools, watchers, workers); `outbound`: opened for one use; `inbound`: opened
 * by peers; `local`: within the process (timers, listeners, buffers).
 */
export type KindNature = 'few' | 'outbound' | 'inbound' | 'local';

const DEFAULT_STACK_DEPTH = 25;

/** CPU of counting one creation or one end by a hook, and of one creation that leaves no mark on its object. Measured. */
const EVENT_NS = 100;
const ESTIMATED_EVENT_NS = 15;

/** What the counters of one ledger share. */
export interface CounterHome {
  readonly options: LedgerSettings;
  readonly stacks: StackCapture;
  readonly cost: CostMeter;
  /** True while the ledger itself opens something. */
  readonly quiet: boolean;
  now(): number;
  newSampleTable(counter: SampleCounter): SampleTable;
  mayAddGroup(counter: { readonly groups: ReadonlyMap<string, unknown> }): boolean;
  /** A group was made, at a place that may be new. */
  grouped(group: Group): void;
  watch(object: object, sample: Sample): void;
  unwatch(sample: Sample): void;
}

/** A record's group is only ever one that a counter put there. */
function groupOf(record: LedgerRecord): Group | null {
  return record.group as Group | null;
}

/** Exact totals of one kind, and its groups. */
export class KindCounter implements GroupCounter, SampleCounter {
  created = 0;
  closed = 0;
  collectedOpen = 0;
  live = 0;
  peak = 0;
  /** Alive and without a group: neither captured nor inherited. */
  ungroupedLive = 0;
  /** Creations that were counted without a stack, ever. */
  ungroupedCreated = 0;
  liveBytes = 0;
  /** Whether one was collected that stood for others: from then on `live` is no count. */
  isAdrift = false;

  readonly gate: CaptureGate;
  readonly samples: SampleTable;
  readonly groups = new Map<string, Group>();
  /** Only captured resources are followed to their end, so `live` is an estimate once creation is fast. */
  readonly estimated: boolean;
  private readonly ungrouped: LedgerRecord;
  private readonly reach = new StackReach();
  private createdAtTick = 0;

  constructor(
    readonly kind: string,
    readonly options: KindOptions,
    private readonly core: CounterHome,
  ) {
    this.gate = new CaptureGate(core.options.capturesPerSecond, core.options.captureBurst);
    this.samples = core.newSampleTable(this);
    this.estimated = options.isOver !== undefined || options.estimated === true;
    this.ungrouped = new LedgerRecord(this, null, 1);
  }

  /** Counts `object` as opened by the running call. Counted already and still open: nothing happens. */
  open(object: object): void {
    if (this.core.quiet) return;
    if (this.gate.skip > 0) {
      if (this.openUngrouped(object)) this.gate.skip--;
    } else if (!recordOf(object)) this.openWith(this.captureNow(), object);
  }

  /**
   * The creation site now, for a resource that comes into being later (after an `await`): hand the result to `openWith`.
   */
  prepare(): LedgerRecord {
    if (this.gate.skip > 0) {
      this.gate.skip--;
      return this.ungrouped;
    }
    return this.captureNow();
  }

  /** The same for a creation that left its stack as text. */
  shareAt(frames: readonly TextFrame[]): LedgerRecord {
    const origin = this.core.stacks.fromText(frames);
    return (origin ? this.groupFor(origin, null) : this.overflowGroup('(other)')).share(1);
  }

  openWith(share: LedgerRecord, object: object, bytes = 0): void {
    if (this.core.quiet) return;
    if (share.group === null) this.openUngrouped(object);
    else if (!recordOf(object)) {
      this.enter();
      this.enterGroup(groupOf(share) as Group, share.weight, object, bytes);
    }
  }

  /** Counts `child` under the line that made `owner`, without a stack of its own. Groups so made are exact at any rate. */
  openUnder(owner: object | null | undefined, child: object): void {
    if (this.core.quiet) return;
    const theirs = owner ? recordOf(owner) : undefined;
    if (theirs === EXCLUDED) {
      claimRecord(child, EXCLUDED);
      return;
    }
    const group = (theirs && groupOf(theirs)?.heir(this)) ?? this.unknownGroup();
    // The gate of a kind that takes no stacks still bounds how many of its resources are watched one by one.
    if (this.gate.skip > 0) {
      if (!claimRecord(child, group.share(1))) return;
      this.gate.skip--;
      this.enter();
      group.open(1, 0);
    } else if (!recordOf(child)) {
      const { weight } = this.gate;
      this.gate.taken();
      this.enter();
      this.enterGroup(group, 1, child, 0, weight);
    }
  }

  /**
   * Counts a captured resource of an estimated kind, whose caller counts the creations itself (`countCreated`).
   * @param weight how many resources it stands for
   * @param bytes how many bytes all of them hold
   */
  openEstimated(object: object, weight: number, bytes = 0): void {
    if (this.core.quiet) return;
    const tableWeight = this.samples.admit();
    // One that is not watched would never be seen to end.
    if (tableWeight === 0) return;
    const group = this.captureGroup();
    const standsFor = weight * tableWeight;
    this.live += standsFor;
    if (this.live > this.peak) this.peak = this.live;
    group.open(standsFor, bytes * tableWeight);
    this.liveBytes += bytes * tableWeight;
    const sample = new Sample(this, group, standsFor, new WeakRef(object), this.core.now(), 1, bytes * tableWeight);
    sample.dueMs = sample.birthMs + (this.options.dueInMs?.(object) ?? 0);
    this.watch(sample, object);
  }

  /** The resource is over. Unknown, or closed already: nothing happens. */
  close(object: object): void {
    const record = recordOf(object);
    if (record?.counter === this) this.end(object, record);
  }

  /** It was counted, but never came to be (a server that could not listen). */
  withdraw(object: object): void {
    const record = recordOf(object);
    if (record?.counter !== this) return;
    writeRecord(object, undefined);
    this.created--;
    this.leave(1);
    this.forget(record, 'withdraw');
  }

  /** Moves `child`, wherever it was counted, under the line that made `owner`. */
  adopt(owner: object, child: object): void {
    const mine = recordOf(child);
    const theirs = recordOf(owner);
    if (!mine || !theirs || mine.counter !== this || theirs.counter === this) return;
    const heir = groupOf(theirs)?.heir(this) ?? null;
    if (mine.group === heir && (heir === null || mine.weight === theirs.weight)) return;
    const birthMs = mine instanceof Sample ? mine.birthMs : this.core.now();
    this.forget(mine, 'withdraw');
    if (heir === null) {
      // The owner was not sampled, and stands for itself among its like: so must what it owns.
      this.ungroupedLive++;
      writeRecord(child, this.ungrouped);
    } else this.enterGroup(heir, theirs.weight, child, 0, 1, birthMs);
  }

  /** A sampled resource was collected while open. */
  collected(sample: Sample): void {
    if (sample.counter !== this) return;
    const { group } = sample;
    // Its like that are not watched were dropped in the same proportion, and nobody will tell of them.
    const standsFor = sample.weight * sample.tableWeight;
    const ended = this.options.endsByCollection === true;
    const gone = this.estimated ? standsFor : Math.min(standsFor, this.live);
    if (ended) this.closed += gone;
    else this.collectedOpen += gone;
    this.live = Math.max(0, this.live - gone);
    if (standsFor !== 1) this.isAdrift = true;
    if (!this.estimated) this.ungroupedLive = Math.max(0, this.ungroupedLive - (sample.weight - 1));
    this.liveBytes = Math.max(0, this.liveBytes - sample.bytes * sample.tableWeight);
    if (group) {
      if (ended) {
        group.lifetimes.add(this.core.now() - sample.birthMs);
        group.close(standsFor, sample.bytes * sample.tableWeight);
      } else group.collect(standsFor, sample.bytes * sample.tableWeight);
    }
    this.samples.remove(sample);
    sample.end();
  }

  groupFor(origin: GroupOrigin, via: string | null): Group {
    const key = `${via ?? ''}|${origin.provider ?? ''}|${origin.frames.map((frame) => frame.number).join(',')}`;
    const known = this.groups.get(key);
    if (known) return known;
    if (!this.core.mayAddGroup(this)) return this.overflowGroup('(other)');
    const group = new Group(this, origin, via, null, this.core.now());
    this.groups.set(key, group);
    this.core.grouped(group);
    return group;
  }

  tick(elapsedMs: number): void {
    this.gate.tick(this.created - this.createdAtTick, elapsedMs);
    this.createdAtTick = this.created;
    this.poll();
  }

  poll(): void {
    const { isOver } = this.options;
    if (!isOver) return;
    // Backwards: closing one moves the last into its place.
    for (let index = this.samples.list.length - 1; index >= 0; index--) {
      const sample = this.samples.list[index];
      const object = sample.ref.deref();
      if (object && isOver(object)) this.end(object, sample);
    }
  }

  adoptOwned(): void {
    const { owned } = this.options;
    if (!owned) return;
    // A sampled share of the owners would count what they own twice: once through them, once through its own sampling.
    if (this.ungroupedLive > 0) return;
    for (const sample of [...this.samples.list]) {
      const object = sample.ref.deref();
      if (!object || sample.weight !== 1) continue;
      for (const child of owned(object)) {
        const record = child && recordOf(child);
        if (child && record?.counter) record.counter.adopt(object, child);
      }
    }
  }

  /** What counting without stacks has cost since the start, in nanoseconds. */
  get countingNs(): number {
    return this.estimated ? this.created * ESTIMATED_EVENT_NS : (this.created + this.closed) * EVENT_NS;
  }

  /** Cuts every object that points here loose. */
  release(): void {
    for (const sample of this.samples.list) {
      const object = sample.ref.deref();
      if (object && recordOf(object) === sample) writeRecord(object, undefined);
      sample.end();
      sample.group = null;
    }
    this.samples.clear();
    this.ungrouped.counter = null;
    for (const group of this.groups.values()) group.release();
    this.groups.clear();
  }

  /** A sample of an estimated kind now stands for `factor` times as many, or for none. */
  reweigh(sample: Sample, factor: 0 | 2): void {
    const { group, weight, bytes } = sample;
    if (!group) return;
    const sign = factor === 0 ? -1 : 1;
    this.live = Math.max(0, this.live + sign * weight);
    this.liveBytes = Math.max(0, this.liveBytes + sign * bytes);
    group.live = Math.max(0, group.live + sign * weight);
    group.liveBytes = Math.max(0, group.liveBytes + sign * bytes);
    group.variance = Math.max(0, group.variance - weight * (weight - 1));
    sample.weight *= factor;
    sample.bytes *= factor;
    group.variance += sample.weight * Math.max(0, sample.weight - 1);
  }

  /** Watched no more, though it lives on. */
  abandon(sample: Sample): void {
    this.core.unwatch(sample);
    sample.end();
  }

  /** Counts a creation that is not on any object: for wrappers too hot to mark what they return. */
  countCreated(count: number): void {
    this.created += count;
  }

  private forget(record: LedgerRecord, leave: 'close' | 'withdraw'): void {
    const group = groupOf(record);
    if (group === null) {
      this.leaveUngrouped();
      return;
    }
    if (record instanceof Sample) {
      group[leave](record.weight, record.bytes);
      if (record.bytes) this.liveBytes = Math.max(0, this.liveBytes - record.bytes);
      this.samples.remove(record);
      this.core.unwatch(record);
      record.end();
    } else group[leave](record.weight, 0);
    // What the weight stood for beyond this one was counted as ungrouped, and stays so until it closes by itself.
  }

  /** `object`, which points at `record`, is over. */
  end(object: object, record: LedgerRecord): void {
    clearRecord(object);
    if (record === this.ungrouped) {
      this.closed++;
      this.leave(1);
      this.leaveUngrouped();
      return;
    }
    const standsFor = this.estimated ? record.weight : 1;
    this.closed += standsFor;
    this.leave(standsFor);
    if (record instanceof Sample) record.group?.lifetimes.add(this.core.now() - record.birthMs);
    this.forget(record, 'close');
  }

  private leave(standsFor: number): void {
    this.live -= standsFor;
    if (this.live < 0) this.correct();
  }

  /** More have ended one by one than were left: fewer were collected than those that were watched stood for. */
  private correct(): void {
    if (!this.estimated) {
      if (this.options.endsByCollection) this.closed += this.live;
      else this.collectedOpen = Math.max(0, this.collectedOpen + this.live);
    }
    this.live = 0;
  }

  private leaveUngrouped(): void {
    if (this.ungroupedLive > 0) this.ungroupedLive--;
  }

  private enter(): void {
    this.created++;
    if (++this.live > this.peak) this.peak = this.live;
  }

  /** @returns false when it is counted already */
  private openUngrouped(object: object): boolean {
    if (!claimRecord(object, this.ungrouped)) return false;
    this.enter();
    this.ungroupedCreated++;
    this.ungroupedLive++;
    return true;
  }

  private captureNow(): LedgerRecord {
    const weight = this.gate.weight;
    const group = this.captureGroup();
    this.gate.taken();
    return group.share(weight);
  }

  private captureGroup(): Group {
    const startedMs = this.core.now();
    const origin = this.core.stacks.capture(
      this.options.stackDepth ?? DEFAULT_STACK_DEPTH,
      this.captureGroup,
      this.reach,
    );
    const group = origin ? this.groupFor(origin, null) : this.overflowGroup('(other)');
    this.core.cost.captured(this.core.now() - startedMs);
    return group;
  }

  private enterGroup(
    group: Group,
    weight: number,
    object: object,
    bytes: number,
    /** How many of its like it would stand for if it were watched by itself. */
    watchFor = 1,
    birthMs?: number,
  ): void {
    group.open(weight, bytes);
    this.liveBytes += bytes;
    const tableWeight = watchFor * this.samples.admit();
    if (tableWeight === 0) {
      writeRecord(object, group.share(weight));
      return;
    }
    const bornMs = birthMs ?? this.core.now();
    this.watch(new Sample(this, group, weight, new WeakRef(object), bornMs, tableWeight, bytes), object);
  }

  private watch(sample: Sample, object: object): void {
    writeRecord(object, sample);
    this.samples.add(sample);
    this.core.watch(object, sample);
  }

  private unknownGroup(): Group {
    return this.overflowGroup('(unknown)');
  }

  overflowGroup(label: string): Group {
    let group = this.groups.get(label);
    if (!group) {
      group = new Group(this, { frames: [], site: null, provider: null }, null, label, this.core.now());
      this.groups.set(label, group);
    }
    return group;
  }
}
