import { CodeLocations } from './capture/code-locations.js';
import { StackCapture } from './capture/stack-capture.js';
import { CostMeter } from './cost-meter.js';
import type { Group } from './counting/group.js';
import { type CounterHome, KindCounter, type KindOptions } from './counting/kind-counter.js';
import type { Sample, SampleCounter } from './counting/sample.js';
import { SampleBudget, SampleTable } from './counting/sample-table.js';
import type { LedgerSettings } from './ledger.options.js';
import { UnresolvedPlaces } from './positions/unresolved-places.js';
import { prepareGroup } from './shown-group.js';

const MAX_KINDS = 128;
const COST_WINDOW_MS = 5_000;
const ANCHOR_MS = 30_000;
/** Prepared at each look ahead: 10 µs each until it is compiled. */
const AHEAD_GROUPS_COUNT = 1_000;

/** The tables of one running ledger: kinds, groups, samples, locations. Knows nothing of hooks. */
export class LedgerCore implements CounterHome {
  readonly startedAt = Date.now();
  readonly startedMs: number;
  readonly locations = new CodeLocations();
  readonly stacks: StackCapture;
  readonly cost: CostMeter;
  readonly counters = new Map<string, KindCounter>();
  readonly unresolved = new UnresolvedPlaces();
  /** True while the ledger itself opens something. */
  quiet = false;

  /** Met since they were last prepared. As bounded as the groups are. */
  private readonly unprepared: Group[] = [];
  private readonly tables: SampleTable[] = [];
  private readonly budget: SampleBudget;
  private readonly registry = new FinalizationRegistry<Sample>((sample) => sample.counter?.collected(sample));
  private capturesPerSecond: number;
  private lastTickMs: number;
  private lastAnchorMs: number;

  constructor(
    readonly options: LedgerSettings,
    /** Milliseconds that only go forward. */
    readonly now: () => number,
  ) {
    this.startedMs = now();
    this.stacks = new StackCapture(this.locations, options.stacksAreMapped);
    this.lastTickMs = this.startedMs;
    this.lastAnchorMs = this.startedMs;
    this.cost = new CostMeter(this.startedMs);
    this.budget = new SampleBudget(options.maxSamples, options.maxSamplesPerKind);
    this.capturesPerSecond = options.capturesPerSecond;
  }

  get sampleCount(): number {
    return this.budget.usedCount;
  }

  get groupCount(): number {
    let count = 0;
    for (const counter of this.counters.values()) count += counter.groups.size;
    return count;
  }

  /** Captures per second and kind in force: the setting, or less while the ledger is over its budget. */
  get capturesPerSecondNow(): number {
    return this.capturesPerSecond;
  }

  /** The counter of a kind, made at its first use. Kinds beyond the bound are counted as `(other)`. */
  counter(kind: string, options: KindOptions = {}): KindCounter {
    const name = this.counters.has(kind) || this.counters.size < MAX_KINDS ? kind : '(other)';
    let counter = this.counters.get(name);
    if (!counter) {
      counter = new KindCounter(name, options, this);
      counter.gate.targetPerSecond = this.capturesPerSecond;
      this.counters.set(name, counter);
    }
    return counter;
  }

  newSampleTable(counter: SampleCounter): SampleTable {
    const table = new SampleTable(counter, this.budget, this.tables);
    this.tables.push(table);
    return table;
  }

  mayAddGroup(counter: { readonly groups: ReadonlyMap<string, unknown> }): boolean {
    return counter.groups.size < this.options.maxGroupsPerKind && this.groupCount < this.options.maxGroups;
  }

  grouped(group: Group): void {
    this.unresolved.add(group.origin);
    this.unprepared.push(group);
  }

  /** Puts together what is shown of new groups, some at a time, so that the first to ask need not wait for it. */
  prepareGroups(): void {
    // Their lines would have to be put together once more.
    if (this.unresolved.isWaiting) return;
    for (const group of this.unprepared.splice(0, AHEAD_GROUPS_COUNT)) prepareGroup(group, this.options.projectRoot);
  }

  watch(object: object, sample: Sample): void {
    this.registry.register(object, sample, sample);
  }

  unwatch(sample: Sample): void {
    this.registry.unregister(sample);
  }

  /** Once a second: adapts the gates, polls what must be polled, keeps the ledger within its budget. */
  tick(): void {
    const startedMs = this.now();
    const elapsedMs = startedMs - this.lastTickMs;
    if (elapsedMs < 1) return;
    this.lastTickMs = startedMs;
    let countingNs = 0;
    for (const counter of this.counters.values()) {
      counter.tick(elapsedMs);
      countingNs += counter.countingNs;
    }
    if (startedMs - this.lastAnchorMs >= ANCHOR_MS) {
      this.lastAnchorMs = startedMs;
      for (const counter of this.counters.values()) {
        for (const group of counter.groups.values()) group.moveAnchor(startedMs);
      }
    }
    const endedMs = this.now();
    this.cost.ticked(endedMs - startedMs);
    if (this.cost.closeWindow(endedMs, COST_WINDOW_MS, countingNs)) this.keepBudget();
  }

  /** Brings what is polled and what is adopted late up to date before somebody looks. */
  settle(): void {
    const startedMs = this.now();
    for (const counter of this.counters.values()) counter.poll();
    // Twice: a cluster adopts its clients, then they adopt their sockets.
    for (let round = 0; round < 2; round++) {
      for (const counter of [...this.counters.values()]) counter.adoptOwned();
    }
    this.cost.ticked(this.now() - startedMs);
  }

  /** Runs work of the ledger's own and counts what it cost. */
  charge(work: () => void): void {
    const startedMs = this.now();
    try {
      work();
    } finally {
      this.cost.ticked(this.now() - startedMs);
    }
  }

  release(): void {
    this.unprepared.length = 0;
    for (const counter of this.counters.values()) counter.release();
    this.counters.clear();
  }

  private keepBudget(): void {
    const { budgetShare, capturesPerSecond } = this.options;
    if (this.cost.share > budgetShare) this.capturesPerSecond = Math.max(1, this.capturesPerSecond / 2);
    else if (this.cost.share < budgetShare / 4) {
      this.capturesPerSecond = Math.min(capturesPerSecond, this.capturesPerSecond * 2);
    }
    for (const counter of this.counters.values()) counter.gate.targetPerSecond = this.capturesPerSecond;
  }
}
