import { heapSampling, type HeapSampling } from '../../ledger/index.js';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { HttpRefusal } from '../http/http-refusal.js';

/** How long the sampler runs on after the last question. Scrapers ask every 10 to 60 seconds. */
const LEASE_MS = 15 * 60_000;

/** When the heap is sampled: while somebody asks for it (and while a leak is looked for), or from the start on. */
export type HeapSamplingMode = 'demand' | 'always';

/** `begun`: with this question, so that next to nothing is known yet. */
export type HeapReading = 'ran' | 'begun' | 'unavailable';

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

  /** Takes a reading where the heap can be sampled, and keeps the sampler running for a while. */
  read(): HeapReading {
    const { isRunning } = this.sampling;
    if (!this.sampling.start()) return 'unavailable';
    if (this.mode === 'demand') {
      uncounted.timers.clearTimeout(this.end);
      this.end = uncounted.timers.setTimeout(() => this.sampling.stop(), LEASE_MS);
      this.end.unref();
    }
    this.sampling.read();
    return isRunning ? 'ran' : 'begun';
  }

  /** The same. @throws HttpRefusal UNAVAILABLE where the heap cannot be sampled */
  mustRead(): HeapReading {
    const reading = this.read();
    if (reading === 'unavailable')
      throw new HttpRefusal('UNAVAILABLE', `the heap cannot be sampled: ${this.sampling.status().unavailable}`);
    return reading;
  }
}
