import type { EventEmitter } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LedgerGroup } from '../ledger/ledger-snapshot.js';
import { theLedger } from '../ledger/the-ledger.js';
import { hearRequires } from './jest-requires.js';

// Outside of jest's sandbox: one for all test files of a worker process. Node's own modules are shared with the sandboxes, so
// what a test opens is counted here, and nothing in here can be faked, reset or mocked by a test.

// Taken before they are counted.
const { setTimeout } = globalThis;
const now = performance.now.bind(performance);

const RETRY_MS = 50;
/** `fetch` keeps an idle connection for four seconds. */
const IDLE_SOCKET_MS = 5_000;
/** Enough to take the stack of everything: a test wants counts, not estimates. */
const ALL = 1_000_000;

/** The modules one sandbox has loaded: its `require.cache`. */
export type LoadedModules = Record<string, { exports: unknown; loaded?: boolean } | undefined>;

export interface Sandbox {
  readonly global: object;
  readonly process: EventEmitter;
  readonly modules: LoadedModules;
  /** Files are named relative to it. */
  readonly root: string;
}

/** The ledger while one test file runs. */
export class SandboxLedger {
  private readonly seen = new WeakSet<object>();
  private readonly unhear: () => void;

  constructor(private readonly sandbox: Sandbox) {
    // Preloaded, or left by a file that was broken off: what it counts is of no use here.
    theLedger.stop();
    theLedger.start({
      projectRoot: sandbox.root,
      globals: [sandbox.global],
      stacksAreMapped: true,
      capturesPerSecond: ALL,
      captureBurst: ALL,
      budgetShare: Infinity,
      maxSamples: ALL,
      maxSamplesPerKind: ALL,
      maxGroups: 32_768,
      maxGroupsPerKind: 16_384,
      // A Buffer ends when V8 likes.
      without: ['buffers'],
    });
    theLedger.followListeners(sandbox.process);
    shareWith(sandbox.global);
    this.unhear = hearRequires(new Set(theLedger.libraryNames), () => this.lookForModules());
    this.lookForModules();
  }

  /** Milliseconds, for `leaks`. */
  now(): number {
    return now();
  }

  /** Hooks the libraries that were loaded since the last time. */
  lookForModules(): void {
    const { modules } = this.sandbox;
    for (const filename of Object.keys(modules)) {
      if (!filename.includes('node_modules')) continue;
      const module = modules[filename];
      if (!module || module.loaded === false || this.seen.has(module)) continue;
      this.seen.add(module);
      theLedger.commonJsSeen(filename, module);
    }
  }

  followListeners(emitter: EventEmitter): void {
    theLedger.followListeners(emitter);
  }

  /**
   * What was opened since and is still alive after `graceMs`. Resolves at once when there is nothing.
   * @param isLeak false for what is none of the test's business
   */
  async leaks(sinceMs: number, graceMs: number, isLeak: (group: LedgerGroup) => boolean): Promise<LedgerGroup[]> {
    const startedMs = now();
    for (let round = 0; ; round++) {
      const leaks = (await theLedger.openedSince(sinceMs)).filter(isLeak);
      if (leaks.length === 0) return leaks;
      const elapsedMs = now() - startedMs;
      const onlySockets = leaks.every(({ kind }) => kind.startsWith('socket.'));
      if (elapsedMs >= (onlySockets && graceMs > 0 ? Math.max(graceMs, IDLE_SOCKET_MS) : graceMs) && round > 0) {
        return leaks;
      }
      if (round === 0) {
        closeIdleSockets();
        collectGarbage();
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  stop(): void {
    this.unhear();
    theLedger.stop();
  }
}

/** A copy of the ledger inside the sandbox speaks for this one, as for any that was there before it, but cannot stop it. */
function shareWith(sandboxGlobal: object): void {
  const view: unknown = Object.create(theLedger, {
    start: { value: () => undefined },
    stop: { value: () => undefined },
  });
  Object.defineProperty(sandboxGlobal, Symbol.for('mu-commander.ledger'), { value: view, configurable: true });
}

/** The pools of Node's own agents belong to the process, not to the test that used them. */
function closeIdleSockets(): void {
  for (const { freeSockets } of [http.globalAgent, https.globalAgent]) {
    for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}

let collect: (() => void) | null | undefined;

/** What nobody holds any more is no leak, but is only known to be gone when V8 has looked. */
function collectGarbage(): void {
  if (collect === undefined) {
    v8.setFlagsFromString('--expose-gc');
    const gc: unknown = runInNewContext('globalThis.gc');
    collect = typeof gc === 'function' ? (gc as () => void) : null;
  }
  collect?.();
}
