import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { built } from '../support/build.mjs';

const TICK_MS = 1_000;

/**
 * A channel changes its shape when it gets its first subscriber or loses its last, which undoes code compiled for it. So it
 * keeps one for good, and what publishing costs (some 10 ns) falls on both sides.
 */
const keepOpen = (channel) => subscribe(channel, () => {});

/**
 * A ledger put together as `Ledger.start` does, whose hooks can be taken out and put back in microseconds, and whose clock
 * stands still meanwhile. So it can be on for a twentieth of a second by turns and still be what it is in a process that runs
 * for long: compiled, past its first burst of stacks, at its steady rate of captures, its detector fed every five seconds.
 */
export class SwitchedLedger {
  #patched = [];
  #channels = [];
  #work;
  #watch;
  #state;
  #clockMs = 0;
  #tickedMs = 0;
  #startedMs = 0;
  isOn = false;

  /**
   * Off until switched on. To be made before the libraries of the workload are loaded.
   * @param {readonly string[]} kindNames the kinds whose hooks it has; none: all
   */
  constructor(kindNames) {
    const { HookState } = built('ledger/hooks/hook-state.js');
    const { KindHooks } = built('ledger/hooks/kind-hooks.js');
    const { LibraryLoads } = built('ledger/hooks/library-loads.js');
    const { Patches } = built('ledger/hooks/patches.js');
    const { kindTable } = built('ledger/kinds/kind-table.js');
    const { LedgerCore } = built('ledger/ledger-core.js');
    const { ledgerSettings } = built('ledger/ledger.options.js');
    const { DeclaredCeilings } = built('ledger/verdict/declared-ceilings.js');
    const { LeakWatch } = built('ledger/watch/leak-watch.js');
    const { WorkCounts } = built('ledger/watch/work-counts.js');
    const patched = this.#patched;
    const channels = this.#channels;
    const isOn = () => this.isOn;

    class SwitchedPatches extends Patches {
      replace(target, key, value) {
        // Inherited ones get a property of their own for good: adding and deleting it each time would cost both sides.
        const before = target[key];
        if (!super.replace(target, key, value)) return false;
        patched.push({ target, key, before, after: value });
        if (!isOn()) target[key] = before;
        return true;
      }
    }
    class SwitchedHooks extends KindHooks {
      channel(name, then) {
        keepOpen(name);
        channels.push({ name, listener: (message) => this.state.pass(name, then, message) });
      }
    }

    this.#state = new HookState();
    const patches = new SwitchedPatches();
    this.core = new LedgerCore(
      ledgerSettings({}, () => process.cwd()),
      () => (this.isOn ? this.#clockMs + performance.now() - this.#startedMs : this.#clockMs),
    );
    const libraries = new LibraryLoads(this.#state, patches);
    const hooks = new SwitchedHooks(this.core, this.#state, patches, libraries);
    const wanted = kindTable.filter(({ name }) => kindNames.length === 0 || kindNames.includes(name));
    if (wanted.length < kindNames.length)
      throw new Error(`--kinds: of ${kindTable.map(({ name }) => name).join(', ')}`);
    for (const kind of wanted) kind.install(hooks);
    libraries.start();
    // Loading is seen at all times, or the libraries would stay without hooks.
    const load = patched.findIndex(({ key }) => key === 'load');
    const [{ target, key, after }] = patched.splice(load, 1);
    target[key] = after;
    keepOpen('http.server.response.finish');
    this.#work = new WorkCounts();
    this.#watch = new LeakWatch(this.core, this.#work, new DeclaredCeilings());
  }

  on() {
    this.isOn = true;
    this.#startedMs = performance.now();
    for (const { target, key, after } of this.#patched) target[key] = after;
    for (const { name, listener } of this.#channels) subscribe(name, listener);
    this.#watch.start();
  }

  /** Ticks when a second has passed while it was on. */
  tick() {
    const nowMs = this.core.now();
    if (nowMs - this.#tickedMs < TICK_MS) return;
    this.#tickedMs = nowMs;
    this.#state.run('tick', () => this.core.tick());
    this.#state.run('watch', () => this.core.charge(() => this.#watch.tick(this.core.now())));
  }

  off() {
    this.#watch.stop();
    for (const { name, listener } of this.#channels) unsubscribe(name, listener);
    for (const { target, key, before } of this.#patched) target[key] = before;
    this.#clockMs += performance.now() - this.#startedMs;
    this.isOn = false;
  }

  /** What it has done, for the record: that its hooks ran, and what it cost by its own clock. */
  get counts() {
    const { cost, counters, capturesPerSecondNow } = this.core;
    const created = {};
    for (const [kind, counter] of counters) if (counter.created > 0) created[kind] = counter.created;
    return {
      created,
      onMs: this.#clockMs,
      captureMs: cost.captureMs,
      tickMs: cost.tickMs,
      captures: cost.captureCount,
      capturesPerSecond: capturesPerSecondNow,
      failures: this.#state.failureCount,
      lastFailure: this.#state.lastFailure,
    };
  }
}
