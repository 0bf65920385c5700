import { heapSampling, type HeapSampling } from '../../ledger/index.js';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { HttpRefusal } from '../http/http-refusal.js';

/** How long the sampler runs on after the last question. Scrapers ask every 10 to 60 seconds. */
const LEASE_MS = 15 * 60_000;

/** When the heap is sampled: while somebody asks for it (and while a leak is looked for), or from the start on. */
export type HeapSamplingMode = 'demand' | 'always';

/** Runs the heap sampler for those who ask over HTTP, and stops it some time after the last of them. */
export class HeapLease implements DiagnosticsPart {
  readonly endpoints = [];
  readonly sampling: HeapSampling = heapSampling('diagnostics');
  private end: NodeJS.Timeout | undefined;

  constructor(private readonly mode: HeapSamplingMode) {}

  start(): void {
    // Where it cannot run, each answer says so.
    if (this.mode === 'always') this.sampling.start();
  }

  stop(): void {
    uncounted.timers.clearTimeout(this.end);
    this.sampling.stop();
  }

  /**
   * Takes a reading, and keeps the sampler running for a while.
   * @returns false when the sampling begins with this call, so that next to nothing is known yet
   * @throws HttpRefusal UNAVAILABLE where it cannot run
   */
  read(): boolean {
    const { isRunning } = this.sampling;
    if (!this.sampling.start()) {
      throw new HttpRefusal('UNAVAILABLE', `the heap cannot be sampled: ${this.sampling.status().unavailable}`);
    }
    if (this.mode === 'demand') {
      uncounted.timers.clearTimeout(this.end);
      this.end = uncounted.timers.setTimeout(() => this.sampling.stop(), LEASE_MS);
      this.end.unref();
    }
    this.sampling.read();
    return isRunning;
  }
}
