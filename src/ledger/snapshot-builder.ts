import type { Group } from './counting/group.js';
import type { KindCounter } from './counting/kind-counter.js';
import type { Sample } from './counting/sample.js';
import type { LedgerCore } from './ledger-core.js';
import type { LedgerCount, LedgerGroup, LedgerKind } from './ledger-snapshot.js';
import { prepareGroup } from './shown-group.js';

/** Tells what one builder has read from what another has. */
let buildersCount = 0;

/** Reads the tables of a ledger. Costs O(groups), and O(samples) where ages are asked for: both bounded, whatever is alive. */
export class SnapshotBuilder {
  private readonly number = ++buildersCount;
  private readonly nowMs: number;

  constructor(private readonly core: LedgerCore) {
    this.nowMs = core.now();
  }

  kinds(): LedgerKind[] {
    const kinds: LedgerKind[] = [];
    for (const counter of this.core.counters.values()) {
      if (counter.created === 0) continue;
      const live = Math.round(counter.live);
      const collectedOpen = Math.round(counter.collectedOpen);
      kinds.push({
        kind: counter.kind,
        live,
        ...(counter.liveBytes > 0 ? { liveBytes: Math.round(counter.liveBytes) } : {}),
        created: counter.created,
        closed: counter.estimated ? Math.max(0, counter.created - live - collectedOpen) : Math.round(counter.closed),
        collectedOpen,
        peak: Math.round(counter.peak),
        exact: isExact(counter),
        groupsCount: counter.groups.size,
      });
    }
    return kinds.sort((a, b) => b.live - a.live);
  }

  /** Groups that ever held something, most alive first. */
  groups(): LedgerGroup[] {
    this.readAges();
    return this.known().map((group) => this.group(group));
  }

  /** The same without what only the resources themselves tell. */
  counts(): LedgerCount[] {
    return this.known().map((group) => this.count(group));
  }

  /** Groups by what is watched and was opened since, most alive first: `live` counts no other. */
  openedSince(sinceMs: number): LedgerGroup[] {
    this.readAges();
    const live = new Map<Group, number>();
    for (const counter of this.core.counters.values()) {
      for (const { group, birthMs, weight, tableWeight } of counter.samples.list) {
        if (group && birthMs >= sinceMs) live.set(group, (live.get(group) ?? 0) + weight * tableWeight);
      }
    }
    this.prepare();
    return [...live].map(([group, count]) => ({ ...this.group(group), live: count })).sort((a, b) => b.live - a.live);
  }

  private known(): Group[] {
    this.prepare();
    const known: Group[] = [];
    for (const { groups } of this.core.counters.values()) {
      for (const group of groups.values()) if (group.created > 0) known.push(group);
    }
    return known.sort((a, b) => b.live - a.live || b.created - a.created);
  }

  /** What was not yet. In a loop of its own: together with what reads it V8's compiler took longer than both. */
  private prepare(): void {
    const { counters, options } = this.core;
    for (const { groups } of counters.values()) {
      for (const group of groups.values()) {
        if (group.shown?.isFinal !== true) prepareGroup(group, options.projectRoot);
      }
    }
  }

  private group(group: Group): LedgerGroup {
    const { ages } = group;
    const lifetimes = group.lifetimes.summary();
    // Filled in, and not spread: with thousands of groups a copy of each was half of what the first reading took.
    const read = this.count(group) as LedgerGroup;
    read.ageMs =
      ages.readBy === this.number
        ? { mean: Math.round(ages.weightedMs / ages.weight), oldest: Math.round(ages.oldestMs) }
        : null;
    read.lifetimeMs = lifetimes && { median: lifetimes.median, p95: lifetimes.p95 };
    return read;
  }

  private count(group: Group): LedgerCount & Partial<LedgerGroup> {
    const { origin, shown } = group;
    const counter = group.counter as KindCounter;
    // Undefined, and not left out: with thousands of groups, objects of one shape are what costs least.
    return {
      id: group.id as string,
      kind: counter.kind,
      live: Math.round(group.live),
      liveBytes: group.liveBytes > 0 ? Math.round(group.liveBytes) : undefined,
      created: Math.round(group.created),
      closed: Math.round(group.closed),
      collectedOpen: Math.round(group.collectedOpen),
      peak: Math.round(group.peak),
      exact: isExact(counter) && group.variance === 0,
      error: Math.round(Math.sqrt(group.variance)),
      site: shown?.site ?? null,
      provider: origin.provider ?? undefined,
      via: group.via ?? undefined,
      overflow: group.overflow ?? undefined,
      stack: shown?.stack ?? [],
      ratePerSecond: Math.round(group.growthPerSecond(this.nowMs) * 1_000) / 1_000,
      ageMs: undefined,
      lifetimeMs: undefined,
    };
  }

  private readAges(): void {
    for (const { samples } of this.core.counters.values()) this.readAgesOf(samples.list);
  }

  private readAgesOf(samples: readonly Sample[]): void {
    for (const sample of samples) {
      if (!sample.group) continue;
      const { ages } = sample.group;
      if (ages.readBy !== this.number) {
        ages.readBy = this.number;
        ages.weight = ages.weightedMs = ages.oldestMs = 0;
      }
      const ageMs = this.nowMs - sample.birthMs;
      const weight = sample.weight * sample.tableWeight;
      ages.weight += weight;
      ages.weightedMs += weight * ageMs;
      ages.oldestMs = Math.max(ages.oldestMs, ageMs);
    }
  }
}

/** Every resource of the kind that is alive now is in its group by itself. */
function isExact(counter: KindCounter): boolean {
  if (counter.estimated) return counter.created - counter.closed - counter.live < 0.5;
  return counter.ungroupedLive === 0 && !counter.isAdrift;
}
