import type { Verdict, VerdictState } from '../../src/contract/verdict.schema.js';

/** One look at a running scenario. */
export interface Look {
  /** Since the load began. */
  readonly atMs: number;
  /** Requests that were answered by then. */
  readonly commands: number;
  readonly rssBytes: number;
  /** What is charged to the cgroup and cannot be reclaimed; resident memory where there is none. */
  readonly usedBytes: number;
  readonly fds: number;
  /** Null when the diagnostics did not answer in time. */
  readonly state: VerdictState | null;
  readonly heapBytes: number | null;
  readonly verdicts: readonly Verdict[];
}

/** What one run of one scenario was seen to do. */
export interface Observation {
  readonly looks: readonly Look[];
  /** When the process died by itself (killed at its limit), since the load began; null when it was stopped. */
  readonly diedAtMs: number | null;
  /** CPU of the process from the beginning of the load to the end. */
  readonly cpuMs: number;
  /** Its own account of the ledger, from the last look. */
  readonly ledgerCpuMs: number | null;
  readonly ledgerBytes: number | null;
  /** Requests that failed, by the reason. */
  readonly errors: Readonly<Record<string, number>>;
}
