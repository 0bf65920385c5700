import { hash } from 'node:crypto';
import type { Group } from './counting/group.js';
import type { KindCounter } from './counting/kind-counter.js';
import type { Sample } from './counting/sample.js';
import type { LedgerCore } from './ledger-core.js';
import type { LedgerCount, LedgerGroup, LedgerKind } from './ledger-snapshot.js';
import { relativeTo, shownFrame, shownSite, siteOf } from './positions/shown-place.js';

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
    return this.each((group, kind, kindIsExact) => this.group(group, kind, kindIsExact));
  }

  /** The same without what only the resources themselves tell. */
  counts(): LedgerCount[] {
    return this.each((group, kind, kindIsExact) => this.count(group, kind, kindIsExact));
  }

  private each<Read extends LedgerCount>(read: (group: Group, kind: string, kindIsExact: boolean) => Read): Read[] {
    const all: Read[] = [];
    for (const counter of this.core.counters.values()) {
      const exact = isExact(counter);
      for (const group of counter.groups.values()) {
        if (group.created > 0) all.push(read(group, counter.kind, exact));
      }
    }
    return all.sort((a, b) => b.live - a.live || b.created - a.created);
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
    return [...live]
      .map(([group, count]) => {
        const counter = group.counter as KindCounter;
        return { ...this.group(group, counter.kind, isExact(counter)), live: count };
      })
      .sort((a, b) => b.live - a.live);
  }

  private group(group: Group, kind: string, kindIsExact: boolean): LedgerGroup {
    const { ages } = group;
    const lifetimes = group.lifetimes.summary();
    // Added to, and not spread: with thousands of groups a copy of each was half of what the first reading took.
    const read = this.count(group, kind, kindIsExact) as LedgerGroup;
    read.peak = Math.round(group.peak);
    read.error = Math.round(Math.sqrt(group.variance));
    read.ageMs =
      ages.readBy === this.number
        ? { mean: Math.round(ages.weightedMs / ages.weight), oldest: Math.round(ages.oldestMs) }
        : null;
    read.lifetimeMs = lifetimes && { median: lifetimes.median, p95: lifetimes.p95 };
    return read;
  }

  private count(group: Group, kind: string, kindIsExact: boolean): LedgerCount {
    const { origin } = group;
    const { projectRoot } = this.core.options;
    const site = siteOf(origin);
    return {
      id: groupId(group, projectRoot),
      kind,
      live: Math.round(group.live),
      // Undefined, and not left out: with thousands of groups, objects of one shape are what costs least.
      liveBytes: group.liveBytes > 0 ? Math.round(group.liveBytes) : undefined,
      created: Math.round(group.created),
      closed: Math.round(group.closed),
      collectedOpen: Math.round(group.collectedOpen),
      exact: kindIsExact && group.variance === 0,
      site: site && shownSite(site, projectRoot),
      provider: origin.provider ?? undefined,
      via: group.via ?? undefined,
      overflow: group.overflow ?? undefined,
      stack: origin.frames.map((frame) => shownFrame(frame, projectRoot)),
      ratePerSecond: Math.round(group.growthPerSecond(this.nowMs) * 1_000) / 1_000,
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

/** The same for the same place after a restart. Computed once per group: 5 µs. */
export function groupId(group: Group, root: string): string {
  return (group.id ??= idOf(group, root));
}

function idOf({ counter, origin, via, overflow }: Group, root: string): string {
  const places = origin.frames.map(({ file, line, column }) => `${relativeTo(root, file.path)}:${line}:${column}`);
  return hash('sha1', [counter.kind, via, overflow, origin.provider, ...places].join('\n'), 'hex').slice(0, 12);
}
