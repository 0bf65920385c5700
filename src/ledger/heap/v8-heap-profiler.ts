import type { heap } from '@datadog/pprof';
import { loadPprof, pprofFailure } from '../pprof-addon.js';

/** A function of V8's tree of calls, with what was allocated in it and is alive. Positions are 1-based, 0 for natives. */
export interface AllocationNode {
  readonly name?: string;
  readonly scriptName: string;
  readonly lineNumber?: number;
  readonly columnNumber?: number;
  readonly allocations: readonly { readonly sizeBytes: number; readonly count: number }[];
  readonly children: readonly AllocationNode[];
}

/** As far up as the user of a `fetch` stands. */
const STACK_DEPTH = 48;

/** V8's sampling heap profiler through @datadog/pprof: Node's own way to read it forces a full collection. */
export class V8HeapProfiler {
  /** Why the last start failed; null when it did not. */
  failure: string | null = null;
  private heap: typeof heap | undefined;

  start(intervalBytes: number): boolean {
    try {
      this.heap ??= loadPprof().heap;
    } catch (error) {
      this.failure = pprofFailure('@datadog/pprof cannot be loaded', error);
      return false;
    }
    try {
      this.heap.start(intervalBytes, STACK_DEPTH);
      this.failure = null;
      return true;
    } catch (error) {
      // Somebody else in this process samples the heap with the same library.
      this.failure = pprofFailure('the heap is sampled by somebody else', error);
      return false;
    }
  }

  stop(): void {
    this.heap?.stop();
  }

  /** Undefined when somebody else has stopped it. */
  read(): AllocationNode | undefined {
    try {
      return this.heap?.v8Profile() as AllocationNode | undefined;
    } catch (error) {
      this.failure = pprofFailure('the sampling of the heap was stopped by somebody else', error);
      return undefined;
    }
  }
}
