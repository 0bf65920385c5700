import type { EventEmitter } from 'node:events';
import { runInThisContext } from 'node:vm';
import { type AllowedLeak, isAllowed } from './allowed-leaks.js';
import { type JestEvent, type JestState, onJestEvent } from './jest-events.js';
import { LeaksError } from './leaks.error.js';
import type * as Outside from './outside.js';
import { isOfTheTest } from './own-business.js';

export interface LeakCheckOptions {
  /** What may stay open, besides what `allowLeaks` names. */
  allow?: readonly AllowedLeak[];
  /** How long what is being closed may take, in milliseconds. Default 1000; idle sockets alone get up to 5 s. */
  graceMs?: number;
}

/** `file`: after the last `afterAll`. `test`: also after the last `afterEach` of each test that passed. */
export type CheckedPer = 'file' | 'test';

const DEFAULT_GRACE_MS = 1_000;
const PLACE = Symbol.for('mu-commander.jest');

/** Counts what one test file opens, from the first import of this module to the end of the file. */
export class LeakCheck {
  private readonly ledger: Outside.SandboxLedger;
  private readonly root = process.cwd();
  private readonly allowed: AllowedLeak[] = [];
  private readonly startedMs: number;
  private testStartedMs: number | null = null;
  private automatic: { per: CheckedPer; options: LeakCheckOptions } | null = null;

  /** One per file, whatever the file does to its module registry. */
  static ofThisFile(): LeakCheck {
    const place = globalThis as unknown as Record<symbol, LeakCheck | undefined>;
    return (place[PLACE] ??= new LeakCheck());
  }

  private constructor() {
    onJestEvent((event, state) => this.heard(event, state));
    const { SandboxLedger } = outside();
    this.ledger = new SandboxLedger({
      global: globalThis,
      process,
      modules: require.cache,
      root: this.root,
    });
    this.startedMs = this.ledger.now();
  }

  automatically(per: CheckedPer, options: LeakCheckOptions): void {
    this.automatic = { per, options };
  }

  allow(leaks: readonly AllowedLeak[]): void {
    this.allowed.push(...leaks);
  }

  followListeners(emitter: EventEmitter): void {
    this.ledger.followListeners(emitter);
  }

  /** @throws LeaksError for what was opened since the test (outside of one: the file) began and is still alive */
  async expectNone(options: LeakCheckOptions): Promise<void> {
    const inTest = this.testStartedMs !== null;
    const error = await this.find(this.testStartedMs ?? this.startedMs, inTest ? 'this test' : 'this file', options);
    if (error) throw error;
  }

  private async find(sinceMs: number, during: string, options: LeakCheckOptions): Promise<LeaksError | null> {
    const allowed = [...this.allowed, ...(options.allow ?? [])];
    const groups = await this.ledger.leaks(
      sinceMs,
      options.graceMs ?? DEFAULT_GRACE_MS,
      (group) => isOfTheTest(group) && !isAllowed(group, allowed),
    );
    return groups.length > 0 ? new LeaksError(groups, during, this.root) : null;
  }

  private heard(event: JestEvent, state: JestState): Promise<void> | void {
    switch (event.name) {
      case 'run_start':
      case 'hook_start':
      case 'test_fn_start':
        return this.ledger.lookForModules();
      case 'test_start':
        this.testStartedMs = this.ledger.now();
        return;
      case 'test_done':
        return this.testDone(event);
      case 'run_finish':
        return this.fileDone(state);
      case 'teardown':
        return this.ledger.stop();
      default:
        return;
    }
  }

  private async testDone({ test }: JestEvent): Promise<void> {
    const sinceMs = this.testStartedMs;
    this.testStartedMs = null;
    // One that failed had no chance to close what it opened; the check of the file still sees it.
    if (this.automatic?.per !== 'test' || sinceMs === null || !test || test.errors.length > 0) return;
    const error = await this.find(sinceMs, 'this test', this.automatic.options);
    if (error) test.errors.push(error);
  }

  private async fileDone({ unhandledErrors }: JestState): Promise<void> {
    if (!this.automatic) return;
    const error = await this.find(this.startedMs, 'this file', this.automatic.options);
    if (error) unhandledErrors.push(error);
  }
}

/** The part of this package that runs outside of the sandbox, where Node's own `require` is. */
function outside(): typeof Outside {
  // Node runs it in its main context, whatever context asks.
  const outer = runInThisContext('globalThis') as typeof globalThis;
  const { createRequire } = outer.process.getBuiltinModule('node:module');
  return createRequire(__filename)('./outside.js') as typeof Outside;
}
