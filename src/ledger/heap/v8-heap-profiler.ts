import { createRequire } from 'node:module';

/** A function of V8's tree of calls, with what was allocated in it and is alive. Positions are 1-based, 0 for natives. */
export interface AllocationNode {
  readonly name?: string;
  readonly scriptName: string;
  readonly lineNumber?: number;
  readonly columnNumber?: number;
  readonly allocations: readonly { readonly sizeBytes: number; readonly count: number }[];
  readonly children: readonly AllocationNode[];
}

interface Addon {
  heap: {
    start(intervalBytes: number, stackDepth: number): void;
    stop(): void;
    v8Profile(): AllocationNode;
  };
}

const load = createRequire(__filename);

/** As far up as the user of a `fetch` stands. */
const STACK_DEPTH = 48;

/**
 * V8's sampling heap profiler through @datadog/pprof: Node's own way to read it forces a full collection. Loaded at the
 * first start, because it costs some 10 MB; where there is no binary for the platform, everything else works without it.
 */
export class V8HeapProfiler {
  /** Why the last start failed; null when it did not. */
  failure: string | null = null;
  private addon: Addon | undefined;

  start(intervalBytes: number): boolean {
    try {
      this.addon ??= load('@datadog/pprof') as Addon;
    } catch (error) {
      return this.failed('@datadog/pprof cannot be loaded', error);
    }
    try {
      this.addon.heap.start(intervalBytes, STACK_DEPTH);
      this.failure = null;
      return true;
    } catch (error) {
      // Somebody else in this process samples the heap with the same library.
      return this.failed('the heap is sampled by somebody else', error);
    }
  }

  stop(): void {
    this.addon?.heap.stop();
  }

  /** Undefined when somebody else has stopped it. */
  read(): AllocationNode | undefined {
    try {
      return this.addon?.heap.v8Profile();
    } catch (error) {
      this.failed('the sampling of the heap was stopped by somebody else', error);
      return undefined;
    }
  }

  private failed(what: string, error: unknown): false {
    // Its text names paths of the machine; the code is enough to look it up.
    const { code } = error as { code?: unknown };
    this.failure = typeof code === 'string' ? `${what} (${code})` : what;
    return false;
  }
}
