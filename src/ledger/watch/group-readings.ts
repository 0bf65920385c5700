import type { Group } from '../counting/group.js';
import type { KindCounter } from '../counting/kind-counter.js';
import type { LedgerCore } from '../ledger-core.js';
import { groupId } from '../shown-group.js';
import type { GroupReading } from '../verdict/detector-sample.js';
import { parameters } from '../verdict/verdict-parameters.js';

type Lives = GroupReading['lives'];

/** All groups of one kind made at one line: two ways to a line are one suspect. */
interface Line {
  readonly id: string;
  readonly counter: KindCounter;
  readonly groups: Group[];
  live: number;
  /** Weights of what is watched one by one: all of it, what waits for its time, what is aged. */
  watched: number;
  pending: number;
  aged: number;
}

/** How old a line's resources have to be to count as aged, and whether its reading is wanted whatever it holds. */
export interface WatchedLines {
  gateMs(id: string): number;
  isFollowed(id: string): boolean;
}

/** Reads the tables of a ledger for the detector. Costs O(groups + samples), both bounded. */
export class GroupReadings {
  /** Id of a line: that of the first of its groups that was read. */
  private readonly ids = new Map<string, string>();
  private readonly lives = new Map<string, { count: number; lives: Lives }>();

  constructor(private readonly core: LedgerCore) {}

  read(watched: WatchedLines): GroupReading[] {
    const nowMs = this.core.now();
    const readings: GroupReading[] = [];
    for (const counter of this.core.counters.values()) {
      if (counter.created === 0) continue;
      const lines = this.linesOf(counter, watched);
      if (lines.length === 0) continue;
      readAges(counter, lines, watched, nowMs);
      const scale = scaleOf(counter);
      const kindLives = this.kindLives(counter);
      for (const line of lines) readings.push(this.reading(line, scale, kindLives));
    }
    return readings;
  }

  private linesOf(counter: KindCounter, watched: WatchedLines): Line[] {
    const lines = new Map<string, Line>();
    for (const group of counter.groups.values()) {
      if (group.created === 0) continue;
      const key = `${counter.kind}|${group.via ?? ''}|${placeKey(group)}`;
      let line = lines.get(key);
      if (!line) {
        let id = this.ids.get(key);
        if (id === undefined) this.ids.set(key, (id = groupId(group, this.core.options.projectRoot)));
        lines.set(key, (line = { id, counter, groups: [], live: 0, watched: 0, pending: 0, aged: 0 }));
      }
      line.groups.push(group);
      line.live += counter.options.inBytes ? group.liveBytes : group.live;
    }
    const least = counter.options.inBytes ? parameters.heapGrowthBytes : parameters.followItems;
    return [...lines.values()].filter(({ id, live }) => live >= least || watched.isFollowed(id));
  }

  private reading(line: Line, scale: number, kindLives: Lives): GroupReading {
    const { counter, groups, watched } = line;
    const { nature = 'outbound', lingers = false, inBytes = false } = counter.options;
    const share = (weight: number): number => (watched > 0 ? weight / watched : 0);
    const held = line.live * (inBytes ? 1 : scale);
    const live = held * (1 - share(line.pending));
    // Of Buffers only what is alive is known in bytes.
    const ended = inBytes ? 0 : scale * sum(groups, ({ closed, collectedOpen }) => closed + collectedOpen);
    const site = groups[0]!.origin.site;
    const file = site && (site.original?.path ?? site.file.path);
    return {
      id: line.id,
      kind: counter.kind,
      nature,
      lingers,
      inBytes,
      place: site && `${file}:${site.original?.line ?? site.line}`,
      around: site && `${file} ${site.functionName ?? ''}`,
      via: groups[0]!.via,
      live,
      held,
      opened: live + ended,
      ended,
      // What is not watched at all is as old as the rest, as far as anybody knows.
      aged: watched > 0 ? held * share(line.aged) : live,
      error: inBytes ? 0 : errorOf(line, scale),
      lives: this.livesOf(line.id, groups),
      kindLives,
    };
  }

  private kindLives(counter: KindCounter): Lives {
    return this.livesOf(`kind ${counter.kind}`, [...counter.groups.values()]);
  }

  /** Looked at again when a tenth more have ended: sorting is the dearest part of a reading. */
  private livesOf(key: string, groups: readonly Group[]): Lives {
    const count = sum(groups, ({ lifetimes }) => lifetimes.count);
    if (count === 0) return null;
    const known = this.lives.get(key);
    if (known && count < 1.1 * known.count) return known.lives;
    const kept = groups.flatMap(({ lifetimes }) => lifetimes.kept).sort((a, b) => a - b);
    const at = (share: number): number => kept[Math.min(kept.length - 1, Math.floor(share * kept.length))]!;
    const lives = { count, medianMs: at(0.5), p95Ms: at(0.95) };
    this.lives.set(key, { count, lives });
    return lives;
  }
}

function placeKey(group: Group): string {
  const { site, provider } = group.origin;
  if (group.overflow || provider || !site)
    return group.id ?? [...group.origin.frames.map(({ number }) => number), provider, group.overflow].join(',');
  return `${site.file.number}:${site.line}`;
}

function readAges(counter: KindCounter, lines: readonly Line[], watched: WatchedLines, nowMs: number): void {
  const lineOf = new Map<Group, Line>();
  for (const line of lines) for (const group of line.groups) lineOf.set(group, line);
  const gates = new Map(lines.map((line) => [line, watched.gateMs(line.id)]));
  for (const sample of counter.samples.list) {
    const line = sample.group && lineOf.get(sample.group);
    if (!line) continue;
    const weight = counter.options.inBytes ? sample.bytes * sample.tableWeight : sample.weight * sample.tableWeight;
    line.watched += weight;
    if (nowMs < sample.dueMs && sample.dueMs - sample.birthMs <= parameters.dueMaxMs) line.pending += weight;
    else if (nowMs - sample.birthMs >= gates.get(line)!) line.aged += weight;
  }
}

/** Totals of a kind are exact where its groups are estimates: what is known of the sum is known of its parts. */
function scaleOf(counter: KindCounter): number {
  if (counter.estimated || counter.ungroupedCreated === 0) return 1;
  const live = sum([...counter.groups.values()], (group) => group.live);
  return live > 0 ? counter.live / live : 1;
}

/** A line that is nearly all of its kind is nearly as exact as the total. */
function errorOf({ counter, groups, live }: Line, scale: number): number {
  const error = Math.sqrt(sum(groups, ({ variance }) => variance));
  if (counter.estimated || counter.live === 0) return error;
  return error * Math.sqrt(Math.max(0, 1 - (live * scale) / counter.live));
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
