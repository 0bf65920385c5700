import type { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import type { CodeLocation } from './capture/code-locations.js';
import { EXCLUDED, writeRecord } from './counting/record-slot.js';
import { HookState } from './hooks/hook-state.js';
import { KindHooks } from './hooks/kind-hooks.js';
import { type CommonJsModule, LibraryLoads } from './hooks/library-loads.js';
import { Patches } from './hooks/patches.js';
import { followListeners } from './kinds/listeners.kind.js';
import { kindTable } from './kinds/kind-table.js';
import type { Kind } from './kinds/kind.js';
import { LedgerCore } from './ledger-core.js';
import { ledgerSettings, type LedgerOptions } from './ledger.options.js';
import type { LedgerCounts, LedgerGroup, LedgerSnapshot, LedgerStatus } from './ledger-snapshot.js';
import { PositionResolver } from './positions/position-resolver.js';
import { projectRoot } from './project-root.js';
import { SnapshotBuilder } from './snapshot-builder.js';
import { endOf, type ClosedBy } from './track-resource.js';
import { type DeclaredCeiling, DeclaredCeilings } from './verdict/declared-ceilings.js';
import type { Finding } from './verdict/finding.js';
import { LeakWatch } from './watch/leak-watch.js';
import { WorkCounts } from './watch/work-counts.js';

const TICK_MS = 1_000;

// Taken before anything is wrapped: what the ledger itself uses must not be counted, nor stopped by faked timers.
const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
const now = performance.now.bind(performance);

/** Bytes per entry of each table, measured in test/ledger/bounds.spec.ts. */
const BYTES = { group: 1_400, sample: 260, location: 220 };

/** What the detector holds. */
export interface LeakFindings {
  /** How long the process has been watched. */
  readonly watchedMs: number;
  /** The worst first; owners before what goes with them. */
  readonly findings: readonly Finding[];
}

interface Running {
  core: LedgerCore;
  state: HookState;
  patches: Patches;
  hooks: KindHooks;
  libraries: LibraryLoads;
  watch: LeakWatch;
  ticker: NodeJS.Timeout;
  startedLateMs: number;
  hadPrepareStackTrace: boolean;
}

/** The ledger of one process (of one worker thread): off until started, and off again without a trace. */
export class Ledger {
  /** Not counted, whoever calls them: for the observers' own use. */
  readonly ownTimers = { setTimeout, clearTimeout, setInterval, clearInterval };
  private running: Running | null = null;
  private readonly positions = new PositionResolver((work) => this.quietly(work));
  private readonly work = new WorkCounts();
  private readonly ceilings = new DeclaredCeilings();

  get isRunning(): boolean {
    return this.running !== null;
  }

  /** Starts counting. Running already: nothing happens. Never throws. */
  start(options: LedgerOptions = {}, kinds: readonly Kind[] = kindTable): void {
    if (this.running) return;
    const startedLateMs = now();
    const state = new HookState();
    const patches = new Patches();
    const core = new LedgerCore(ledgerSettings(options, projectRoot), now);
    const libraries = new LibraryLoads(state, patches);
    const hooks = new KindHooks(core, state, patches, libraries);
    for (const kind of kinds) {
      if (core.options.without.includes(kind.name)) continue;
      state.run(kind.name, () => kind.install(hooks));
    }
    state.run('libraries', () => libraries.start());
    // ES modules that imported a built-in by name see its exports as they were, unless told.
    state.run('exports', syncBuiltinESMExports);
    const watch = new LeakWatch(core, this.work, this.ceilings);
    state.run('watch', () => watch.start());
    const ticker = setInterval(() => {
      state.run('tick', () => core.tick());
      state.run('watch', () => core.charge(() => watch.tick(now())));
      state.run('positions', () => core.charge(() => this.positions.lookAhead(core.unresolved)));
      state.run('groups', () => core.charge(() => core.prepareGroups()));
    }, TICK_MS);
    ticker.unref();
    const hadPrepareStackTrace = Object.hasOwn(Error, 'prepareStackTrace');
    this.running = { core, state, patches, hooks, libraries, watch, ticker, startedLateMs, hadPrepareStackTrace };
  }

  /** Stops counting, undoes every hook and forgets everything. Not running: nothing happens. Never throws. */
  stop(): void {
    const { running } = this;
    if (!running) return;
    this.running = null;
    running.state.active = false;
    clearInterval(running.ticker);
    running.watch.stop();
    running.hooks.stop();
    running.patches.undo();
    running.core.release();
    try {
      syncBuiltinESMExports();
      if (!running.hadPrepareStackTrace && Error.prepareStackTrace === undefined) {
        Reflect.deleteProperty(Error, 'prepareStackTrace');
      }
    } catch (error) {
      running.state.failed('stop', error);
    }
  }

  /** What is alive now, with positions as far as they were looked up before. Not running: empty. */
  snapshot(): LedgerSnapshot {
    return this.read((builder) => builder.groups());
  }

  /** The same with the lines of the sources an application was compiled from. */
  async report(): Promise<LedgerSnapshot> {
    const { running } = this;
    if (running) await this.resolveAll(running);
    return this.snapshot();
  }

  /** The snapshot without ages and lifetimes. */
  countsNow(): LedgerCounts {
    return this.read((builder) => builder.counts());
  }

  /** The report without ages and lifetimes. */
  async counts(): Promise<LedgerCounts> {
    const { running } = this;
    if (running) await this.resolveAll(running);
    return this.countsNow();
  }

  private read<Read>(groupsOf: (builder: SnapshotBuilder) => Read[]) {
    const { running } = this;
    const takenAt = Date.now();
    if (!running) return { takenAt, ledger: this.status(), kinds: [], groups: [] };
    running.state.run('settle', () => running.core.settle());
    const builder = new SnapshotBuilder(running.core);
    return { takenAt, ledger: this.status(), kinds: builder.kinds(), groups: groupsOf(builder) };
  }

  /** Looks up where these were written, if nobody has yet. Never rejects. */
  resolvePositions(locations: readonly CodeLocation[]): Promise<void> {
    return this.positions.resolve(locations);
  }

  /** What files are shown relative to, running or not. */
  get projectRoot(): string {
    return this.running?.core.options.projectRoot ?? projectRoot();
  }

  status(): LedgerStatus {
    const { running } = this;
    const core = running?.core;
    const groupsCount = core?.groupCount ?? 0;
    return {
      running: running !== null,
      startedAt: core?.startedAt ?? null,
      startedLateMs: Math.round(running?.startedLateMs ?? 0),
      costMs: { capture: round(core?.cost.captureMs ?? 0), tick: round(core?.cost.tickMs ?? 0) },
      costShare: Math.round((core?.cost.share ?? 0) * 1e6) / 1e6,
      capturesCount: core?.cost.captureCount ?? 0,
      capturesPerSecond: core?.capturesPerSecondNow ?? 0,
      memoryBytes:
        groupsCount * BYTES.group +
        (core?.sampleCount ?? 0) * BYTES.sample +
        (core?.locations.locationCount ?? 0) * BYTES.location,
      groupsCount,
      samplesCount: core?.sampleCount ?? 0,
      locationsCount: core?.locations.locationCount ?? 0,
      failuresCount: running?.state.failureCount ?? 0,
      lastFailure: running?.state.lastFailure ?? null,
      unhooked: running?.patches.refused ?? [],
    };
  }

  /** Counts a resource the table of kinds does not know. Returns what ends it by hand. Never throws. */
  track(kind: string, object: object, closedBy?: ClosedBy): () => void {
    const { running } = this;
    if (!running) return () => undefined;
    const { state, core, hooks } = running;
    const close = (): void => state.run('track', () => core.counter(kind).close(object));
    state.run('track', () => {
      core.counter(kind).open(object);
      if (closedBy !== undefined) endOf(hooks, object, closedBy, close);
    });
    return close;
  }

  /** Work was finished that growth may go with. Counted whether the ledger runs or not. Never throws. */
  countWork(unit: string, count: number): void {
    this.work.add(unit, count);
  }

  /** Work finished since the start of the process, by unit. */
  workCounts(): Record<string, number> {
    return Object.fromEntries(this.work.read().map(({ unit, count }) => [unit, count]));
  }

  /** What leaks, by the last look; not running: nothing is known. */
  findings(): LeakFindings {
    const watch = this.running?.watch;
    return { watchedMs: watch?.detector.watchedMs ?? 0, findings: watch?.findings() ?? [] };
  }

  /** In force also for a ledger that is started later. @throws RangeError when it is no whole number, or one too many */
  expectAtMost(ceiling: DeclaredCeiling): void {
    this.ceilings.add(ceiling);
  }

  /** An ES module of a library was evaluated; called by the loader hook. */
  moduleSeen(url: string, namespace: Record<string, unknown>): void {
    this.running?.state.run('module', () => this.running?.libraries.seen(url, namespace));
  }

  /** A CommonJS module file was evaluated by another loader than Node's. Seen before: nothing changes. */
  commonJsSeen(filename: string, module: CommonJsModule): void {
    this.running?.state.run('module', () => this.running?.libraries.loaded(filename, module));
  }

  /** Counts the listeners added to an emitter from now on, each under the line that adds it. */
  followListeners(emitter: EventEmitter): void {
    const { running } = this;
    running?.state.run('listeners', () => followListeners(running.hooks, emitter));
  }

  /**
   * Groups with only what was opened since `sinceMs` (`performance.now()`) and is watched and alive: all of it, as long as
   * the ledger takes every stack. Positions in the sources.
   */
  async openedSince(sinceMs: number): Promise<LedgerGroup[]> {
    const { running } = this;
    if (!running) return [];
    await this.resolveAll(running);
    running.state.run('settle', () => running.core.settle());
    return new SnapshotBuilder(running.core).openedSince(sinceMs);
  }

  /** Names of the packages some kind wants to see loaded. */
  get libraryNames(): string[] {
    return this.running?.libraries.packageNames ?? [];
  }

  /** For tests: called before every hook, and may throw. */
  injectFault(fault: ((hook: string) => void) | null): void {
    if (this.running) this.running.state.fault = fault;
  }

  /** Counts neither `object` nor what it opens, also under a ledger that starts later. */
  exclude(object: object): void {
    writeRecord(object, EXCLUDED);
  }

  private resolveAll({ core }: Running): Promise<void> {
    return this.positions.resolve(core.unresolved.takeAll());
  }

  /** Runs `work` without counting what it opens before it returns. */
  quietly<T>(work: () => T): T {
    const core = this.running?.core;
    if (!core || core.quiet) return work();
    core.quiet = true;
    try {
      return work();
    } finally {
      core.quiet = false;
    }
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
