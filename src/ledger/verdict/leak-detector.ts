import type { KindNature } from '../counting/kind-counter.js';
import { AmountForecast } from './amount-forecast.js';
import { AmountJudge } from './amount-judge.js';
import { DeclaredCeilings } from './declared-ceilings.js';
import type { DetectorSample, GroupReading, LimitsReading, ProcessReading } from './detector-sample.js';
import type { Finding, FindingLimit, Subject } from './finding.js';
import { amountReasons, groupReasons } from './finding-reasons.js';
import { GroupJudge } from './group-judge.js';
import { type Kin, keepsPace, ownersOf } from './kin.js';
import { type Moment, MomentHistory } from './moment.js';
import type { Evidence } from './evidence.js';
import { parameters } from './verdict-parameters.js';
import type { VerdictState } from './verdict-state.js';
import { WorkOnset } from './work-onset.js';
import { WorkUnits } from './work-units.js';

const AMOUNTS = ['heap', 'external', 'native'] as const;
const KIND_OF: Record<Exclude<Subject, 'group'>, string> = {
  heap: 'heap.floor',
  external: 'memory.external',
  native: 'memory.native',
  fds: 'fds',
};

/**
 * Says what leaks. Pure: fed with samples, no clock of its own, nothing read from the process. Bounded: so many lines are
 * followed, each with fixed windows; a sample costs O(lines).
 */
export class LeakDetector {
  private readonly units = new WorkUnits();
  private readonly history = new MomentHistory();
  private readonly onset = new WorkOnset();
  private readonly groups = new Map<string, GroupJudge>();
  private readonly amounts = {
    heap: new AmountJudge(true, parameters.heapGrowthBytes, this.history),
    external: new AmountJudge(true, parameters.heapGrowthBytes, this.history),
    native: new AmountJudge(false, parameters.nativeGrowthBytes, this.history),
  };
  private fds: GroupJudge | null = null;
  private readonly forecasts = {
    memory: new AmountForecast(parameters.heapGrowthBytes),
    own: new AmountForecast(parameters.heapGrowthBytes),
    heap: new AmountForecast(parameters.heapGrowthBytes),
    fds: new AmountForecast(parameters.fewestItems),
  };
  private limits: LimitsReading = { memoryBytes: null, heapBytes: null, fds: null };
  private before: Moment | undefined;
  private collections = 0;
  /** Charged to the same limit, and not ours: other processes of the cgroup. */
  private othersBytes = 0;
  private firstMs: number | null = null;
  private nowMs = 0;

  constructor(private readonly ceilings = new DeclaredCeilings()) {}

  /** How old one of a line has to be to count as aged in the next sample, in milliseconds. */
  gateMs(id: string): number {
    return this.groups.get(id)?.aged.gateMs ?? parameters.ageMinMs;
  }

  /** Whether a line is followed: its reading must then be in every sample, however few are alive. */
  isFollowed(id: string): boolean {
    return this.groups.has(id);
  }

  /** How long it has been fed. */
  get watchedMs(): number {
    return this.firstMs === null ? 0 : this.nowMs - this.firstMs;
  }

  /** Whether the heap rises, so that a closer look at who allocates is worth its cost. */
  get isHeapRising(): boolean {
    const { state } = this.amounts.heap.standing;
    return state === 'growing' || state === 'leaking';
  }

  take({ atMs, groups, process, work, limits }: DetectorSample): void {
    this.firstMs ??= atMs;
    this.nowMs = atMs;
    this.limits = limits;
    const { collections, inbound } = process;
    const moment: Moment = {
      atMs,
      work: this.units.counts(work),
      vagueness: this.units.vagueness,
      collections,
      inbound,
    };
    this.history.push(moment);
    this.onset.take(moment);
    this.takeGroups(groups, moment);
    this.takeProcess(process, moment);
  }

  /** Everything followed, the worst first. Owners come before what goes with them. */
  findings(): Finding[] {
    const judges = [...this.groups.values()];
    const growing = judges.filter(({ standing }) => isRising(standing));
    const owners = ownersOf(growing.map((judge) => this.kinOf(judge)));
    const found = judges.map((judge) => this.groupFinding(judge, owners.get(judge.reading.id)));
    const lead = found
      .filter(({ state, partOf }) => partOf === undefined && state === 'leaking')
      .sort((a, b) => b.ratePerSecond - a.ratePerSecond)[0];
    const sums = [...this.amountFindings(lead, found), ...(this.fds ? [this.fdsFinding(this.fds, lead)] : [])];
    return [...found.map((finding) => provenBy(sums, finding)), ...sums].sort(byGravity);
  }

  private takeGroups(readings: readonly GroupReading[], moment: Moment): void {
    for (const reading of readings) {
      let judge = this.groups.get(reading.id);
      if (!judge) {
        if (this.groups.size >= parameters.groupsTracked && !this.makeRoom(reading)) continue;
        this.groups.set(reading.id, (judge = new GroupJudge(reading, this.before)));
      }
      judge.take(reading, moment, this.history, this.ceilings.of(reading));
    }
    this.before = moment;
  }

  /** The smallest line that is not suspected goes, if the new one is larger. */
  private makeRoom(reading: GroupReading): boolean {
    let smallest: GroupJudge | undefined;
    for (const judge of this.groups.values()) {
      if (isTold(judge.standing) || judge.reading.inBytes) continue;
      if (!smallest || judge.reading.live < smallest.reading.live) smallest = judge;
    }
    if (!smallest || smallest.reading.live >= reading.live) return false;
    return this.groups.delete(smallest.reading.id);
  }

  private takeProcess(process: ProcessReading, moment: Moment): void {
    const { heapFloorBytes, heapCollectedBytes, externalBytes, rssBytes, heapTotalBytes, openFds } = process;
    const nativeBytes = Math.max(0, rssBytes - heapTotalBytes - externalBytes);
    const { atMs: onsetMs } = this.onset;
    const external = { bytes: externalBytes, collectedBytes: process.externalCollectedBytes };
    this.amounts.heap.take({ bytes: heapFloorBytes, collectedBytes: heapCollectedBytes }, moment, onsetMs);
    this.amounts.external.take(external, moment, onsetMs);
    this.amounts.native.take({ bytes: nativeBytes, collectedBytes: null }, moment, onsetMs);
    this.forecasts.memory.push(moment.atMs, process.chargedBytes);
    this.forecasts.own.push(moment.atMs, rssBytes);
    this.othersBytes = process.chargedBytes - rssBytes;
    // Between two full collections garbage rises like a leak.
    if (heapCollectedBytes !== null && process.collections > this.collections)
      this.forecasts.heap.push(moment.atMs, heapCollectedBytes);
    this.collections = process.collections;
    if (openFds === null) return;
    this.forecasts.fds.push(moment.atMs, openFds);
    const reading = fdsReading(Math.max(0, openFds - process.knownFds), this.fds?.reading);
    this.fds ??= new GroupJudge(reading);
    this.fds.take(reading, moment, this.history, null);
  }

  private kinOf({ reading, standing }: GroupJudge): Kin {
    const { id, place, around, via, nature } = reading;
    return {
      id,
      place,
      around,
      isLeaking: standing.state === 'leaking',
      rank: (place === null ? 8 : 0) + (via === null ? 0 : 4) + NATURE_RANK[nature],
      ratePerSecond: (standing.ground?.ratePerMs ?? 0) * 1_000,
    };
  }

  private groupFinding(judge: GroupJudge, partOf: string | undefined): Finding {
    const { reading, standing } = judge;
    const ceiling = this.ceilings.of(reading);
    const limit = this.groupLimit(judge, ceiling);
    return {
      ...this.standingOf(standing),
      id: reading.id,
      subject: 'group',
      kind: reading.kind,
      via: reading.via,
      live: Math.round(standing.ground?.ground === 'renewed' ? reading.held : reading.live),
      ...(reading.inBytes ? { liveBytes: Math.round(reading.live) } : {}),
      reasons: groupReasons(judge, this.units.names, ceiling),
      ...(limit ? { limit } : {}),
      ...(partOf === undefined ? {} : { partOf }),
    };
  }

  private amountFindings(lead: Finding | undefined, groups: readonly Finding[]): Finding[] {
    const isGroupActive = groups.some(isRising);
    const isManagedActive = isRising(this.amounts.heap.standing) || isRising(this.amounts.external.standing);
    return AMOUNTS.map((subject) => {
      const { standing, bytes } = this.amounts[subject];
      const base = this.standingOf(standing);
      const active = isRising(standing);
      // Nothing that is counted grows, only what the process keeps: pages of the allocator that are not whole again.
      const isAllocator = subject === 'native' && active && !isGroupActive && !isManagedActive;
      const owner = active ? this.ownerOfAmount(subject, base.ratePerSecond, lead, groups) : undefined;
      const limit = active ? this.nearestLimit(standing.ground) : undefined;
      return {
        ...base,
        ...(isAllocator ? { state: 'not-leaking' as const, cause: 'allocator' as const } : {}),
        id: subject,
        subject,
        kind: KIND_OF[subject],
        via: null,
        live: 0,
        liveBytes: Math.round(bytes),
        reasons: isAllocator
          ? [
              ...amountReasons(standing, this.units.names).slice(0, 1),
              'heap, external memory and all counts are level: the allocator keeps it, it is not a leak',
            ]
          : amountReasons(standing, this.units.names),
        ...(limit ? { limit } : {}),
        ...(owner === undefined ? {} : { partOf: owner }),
      };
    });
  }

  /** The line, or the other amount, that explains the growth of one. */
  private ownerOfAmount(
    subject: (typeof AMOUNTS)[number],
    bytesPerSecond: number,
    lead: Finding | undefined,
    groups: readonly Finding[],
  ): string | undefined {
    const buffers = subject === 'external' ? this.buffersBehind(this.amounts.external.standing.ground) : undefined;
    if (buffers !== undefined) return groups.find(({ id }) => id === buffers)?.partOf ?? buffers;
    if (lead && lead.liveBytes === undefined && bytesPerSecond <= lead.ratePerSecond * parameters.bytesPerItemMost)
      return lead.id;
    if (subject !== 'native') return undefined;
    return AMOUNTS.find((other) => other !== 'native' && isRising(this.amounts[other].standing));
  }

  /** The line of Buffers that grew most over the same time, if it accounts for enough of it. */
  private buffersBehind(ground: Evidence | null): string | undefined {
    if (!ground) return undefined;
    let most: { id: string; growth: number } | undefined;
    for (const judge of this.groups.values()) {
      const growth = judge.reading.inBytes ? (judge.growthOver(ground.spanMs) ?? 0) : 0;
      if (growth > (most?.growth ?? 0)) most = { id: judge.reading.id, growth };
    }
    return most && most.growth >= parameters.externalShare * ground.growth ? most.id : undefined;
  }

  private fdsFinding(judge: GroupJudge, lead: Finding | undefined): Finding {
    const { standing, reading } = judge;
    const base = this.standingOf(standing);
    const isOfLead = lead && isRising(standing) && base.ratePerSecond <= parameters.fdsPerItemMost * lead.ratePerSecond;
    const owner = isOfLead ? lead.id : this.lineInPace(standing);
    const limit = this.limitOf('fds', standing.ground);
    return {
      ...base,
      id: 'fds',
      subject: 'fds',
      kind: KIND_OF.fds,
      via: null,
      live: Math.round(reading.live),
      reasons: groupReasons(judge, this.units.names, null),
      ...(limit && isRising(standing) ? { limit } : {}),
      ...(owner === undefined ? {} : { partOf: owner }),
    };
  }

  /** The line that grew by one for each so many descriptors. */
  private lineInPace({ state, ground }: VerdictState): string | undefined {
    if (state !== 'leaking' || !ground || ground.spanMs === 0) return undefined;
    let owner: { id: string; growth: number } | undefined;
    for (const judge of this.groups.values()) {
      const growth = judge.growthOver(ground.spanMs) ?? 0;
      if (judge.reading.inBytes || growth < parameters.growthItems) continue;
      if (ground.growth / growth > parameters.fdsPerItemMost + 1 || !keepsPace(ground.growth, growth)) continue;
      if (!owner || growth > owner.growth) owner = { id: judge.reading.id, growth };
    }
    return owner?.id;
  }

  private standingOf(standing: VerdictState) {
    const { state, sinceMs, ground } = standing;
    const told = isTold(standing) && ground !== null;
    const perWork = ground?.tie ?? ground?.perWork;
    const unit = perWork && this.units.names[perWork.unit];
    return {
      state,
      sinceMs: this.nowMs - sinceMs,
      confidence: confidenceOf(standing),
      ground: told ? ground.ground : null,
      ratePerSecond: isRising(standing) ? (ground?.ratePerMs ?? 0) * 1_000 : 0,
      ...(told && perWork && unit !== undefined ? { perWork: { unit, factor: perWork.factor } } : {}),
    };
  }

  private groupLimit({ standing, reading }: GroupJudge, ceiling: number | null): FindingLimit | undefined {
    if (!isRising(standing)) return undefined;
    if (ceiling !== null)
      return {
        name: 'declared ceiling',
        count: ceiling,
        etaMs: reading.live > ceiling ? 0 : null,
        etaLowMs: null,
        etaHighMs: null,
      };
    return this.nearestLimit(standing.ground);
  }

  /** The limit that is met first; when none is in sight, the one of memory, without a time. */
  private nearestLimit(ground: Evidence | null): FindingLimit | undefined {
    const limits = (['memory', 'heap', 'fds'] as const).flatMap((name) => this.limitOf(name, ground) ?? []);
    const timed = limits.filter(({ etaMs }) => etaMs !== null).sort((a, b) => a.etaMs! - b.etaMs!);
    return timed[0] ?? limits[0];
  }

  private limitOf(name: 'memory' | 'heap' | 'fds', ground: Evidence | null): FindingLimit | undefined {
    const limit = { memory: this.limits.memoryBytes, heap: this.limits.heapBytes, fds: this.limits.fds }[name];
    if (limit === null) return undefined;
    const spanMs = Math.max(ground?.spanMs ?? 0, 3 * parameters.tickMs);
    let forecast = this.forecasts[name].until(limit, spanMs);
    // What others in the cgroup do may hide our slope, which then has the room that they leave.
    if (name === 'memory' && forecast.etaMs === null)
      forecast = this.forecasts.own.until(limit - this.othersBytes, spanMs);
    return { name: LIMIT_NAMES[name], ...(name === 'fds' ? { count: limit } : { bytes: limit }), ...forecast };
  }
}

const NATURE_RANK: Record<KindNature, number> = { few: 0, outbound: 1, inbound: 2, local: 3 };
const LIMIT_NAMES = { memory: 'cgroup memory', heap: 'V8 heap', fds: 'file descriptors' } as const;
const GRAVITY = { leaking: 0, growing: 1, retracted: 2, 'not-leaking': 3, 'not-enough-data': 4 } as const;

function byGravity(a: Finding, b: Finding): number {
  return (
    GRAVITY[a.state] - GRAVITY[b.state] ||
    Number(a.partOf !== undefined) - Number(b.partOf !== undefined) ||
    Number(a.subject !== 'group') - Number(b.subject !== 'group') ||
    b.confidence - a.confidence ||
    b.live - a.live
  );
}

function isRising({ state }: Pick<VerdictState, 'state'>): boolean {
  return state === 'leaking' || state === 'growing';
}

/** A sum that leaks is leaked by the line that accounts for it, though of that alone less was known. */
function provenBy(sums: readonly Finding[], line: Finding): Finding {
  const sum = sums.find(({ state, partOf }) => state === 'leaking' && partOf === line.id);
  if (!sum || line.state === 'leaking') return line;
  const { sinceMs, confidence, ratePerSecond, limit } = sum;
  // Why it was not beyond doubt stands last.
  const reasons = line.state === 'growing' ? line.reasons.slice(0, -1) : line.reasons;
  return {
    ...line,
    state: 'leaking',
    sinceMs,
    confidence,
    ratePerSecond: line.ratePerSecond || (line.liveBytes === undefined ? 0 : ratePerSecond),
    reasons: [...reasons, `it accounts for the ${SUMS[sum.subject]} that leak`],
    ...(limit && !line.limit ? { limit } : {}),
  };
}

const SUMS: Partial<Record<Subject, string>> = {
  heap: 'bytes in the heap',
  external: 'bytes outside of the heap',
  native: 'bytes of native memory',
  fds: 'file descriptors',
};

/** Still to be told, though it may have been taken back. */
function isTold({ state }: VerdictState): boolean {
  return state === 'leaking' || state === 'growing' || state === 'retracted';
}

function confidenceOf({ state, ground }: VerdictState): number {
  const strength = ground?.strength ?? 0;
  if (state === 'leaking') return Math.round(Math.min(0.99, 0.8 + 0.06 * Math.log2(Math.max(1, strength))) * 100) / 100;
  if (state === 'growing') return Math.round(Math.min(0.75, 0.3 + 0.45 * strength) * 100) / 100;
  if (state === 'not-enough-data') return 0;
  return state === 'retracted' ? 0.7 : 0.9;
}

/** Descriptors that no line of the ledger accounts for, as if they were a line. Nobody says when one ends. */
function fdsReading(unexplained: number, before: GroupReading | undefined): GroupReading {
  const fallen = Math.max(0, (before?.live ?? 0) - unexplained);
  const ended = (before?.ended ?? 0) + fallen;
  return {
    id: 'fds',
    kind: 'fds',
    // Nothing opens them one by one for good.
    nature: 'few',
    lingers: false,
    inBytes: false,
    place: null,
    around: null,
    via: null,
    live: unexplained,
    held: unexplained,
    opened: unexplained + ended,
    ended,
    aged: unexplained,
    error: 0,
    lives: null,
    kindLives: null,
  };
}
