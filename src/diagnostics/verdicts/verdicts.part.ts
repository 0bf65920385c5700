/*
 * endpoint                   parameter  values                                                         unit      cost
 * GET /diagnostics/verdicts  state      leaking, growing, retracted, not-leaking, not-enough-data      –         O(groups); a line read for the first
 *                            limit      1 … 200, default 50                                            verdicts  time may read its source map
 *                            format     json, text                                                     –
 *
 * A parameter or value that is not in this table is refused with 400.
 */
import { z } from 'zod';
import {
  type Verdict,
  type Verdicts,
  type VerdictsQuery,
  verdictsQuerySchema,
  verdictsSchema,
} from '../../contract/verdict.schema.js';
import {
  type Finding,
  heapSampling,
  leakFindings,
  ledgerCounts,
  type LedgerCounts,
  ledgerCountsNow,
  processMemory,
} from '../../ledger/index.js';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { formatSchema, jsonOrText, wholeNumber } from '../http/http-query.js';
import { metricGroup } from '../metrics/metric.js';
import { verdictMetrics } from '../metrics/verdict.metrics.js';
import { HeapLook } from './heap-look.js';
import { VerdictLog } from './verdict-log.js';
import { verdictsSentence } from './verdict-sentence.js';
import { verdictsOf } from './verdicts-of.js';
import { verdictsText } from './verdicts-text.js';

/** More would not fit into the record of a life. */
const MAX_SUSPECTS = 8;
/** How often the heap is read while it is looked into. */
const TICK_MS = 1_000;

const querySchema = z.strictObject({
  ...verdictsQuerySchema.shape,
  limit: wholeNumber(1, 200).default(50),
  format: formatSchema,
});

/** What leaks, made where, how fast, until when. */
export class VerdictsPart implements DiagnosticsPart {
  private readonly changes: VerdictLog;
  private readonly heap = new HeapLook(heapSampling('verdicts'));
  private timer: NodeJS.Timeout | undefined;
  private tickedMs = -1;
  private isFailing = false;
  private cached: { watchedMs: number; answer: Verdicts } | undefined;

  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics/verdicts',
      summary: 'What leaks: made where, how fast, and when it meets a limit.',
      query: querySchema,
      answers: { 'application/json': verdictsSchema, 'text/plain': null },
      answer: async ({ query: { format, ...wanted } }) => {
        const answer = await this.read(wanted);
        return jsonOrText(format, answer, () => verdictsText(answer));
      },
    }),
  ];

  readonly metrics = [metricGroup({ name: 'verdicts', read: () => this.latest(), metrics: verdictMetrics })];

  constructor(private readonly log: DiagnosticsLog) {
    this.changes = new VerdictLog(log, async () => (await this.all()).verdicts);
  }

  start(): void {
    this.timer ??= uncounted.timers.setInterval(() => void this.tick(), TICK_MS).unref();
  }

  stop(): void {
    uncounted.timers.clearInterval(this.timer);
    this.timer = undefined;
    this.heap.stop();
  }

  /** Without a running ledger there are no verdicts, and the sentence says why. */
  async read({ state, limit }: VerdictsQuery): Promise<Verdicts> {
    const answer = await this.all();
    const matching = answer.verdicts.filter((verdict) => state === undefined || verdict.state === state);
    return { ...answer, verdicts: matching.slice(0, limit), totalCount: matching.length };
  }

  /** As known at the last look of the detector, in positions as far as they were looked up. The same object until the next. */
  latest(): Verdicts {
    const { watchedMs } = leakFindings();
    if (this.cached?.watchedMs !== watchedMs) this.cached = { watchedMs, answer: this.compose(ledgerCountsNow()) };
    return this.cached.answer;
  }

  /** What is leaking or growing by itself, the worst first, a few at most. */
  suspects(): Verdict[] {
    return this.latest()
      .verdicts.filter(({ state, partOf }) => (state === 'leaking' || state === 'growing') && partOf === undefined)
      .slice(0, MAX_SUSPECTS);
  }

  private async all(): Promise<Verdicts> {
    return this.compose(await ledgerCounts());
  }

  /** Never rejects: what fails, by want of descriptors for one, must not end the process that is watched. */
  private async tick(): Promise<void> {
    try {
      await this.look();
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing) this.log.warn(`verdicts failed: ${error instanceof Error ? error.message : String(error)}`);
      this.isFailing = true;
    }
  }

  private async look(): Promise<void> {
    const { watchedMs, findings } = leakFindings();
    if (watchedMs !== this.tickedMs) {
      this.tickedMs = watchedMs;
      this.heap.want(findings.some(isRisingHeap));
      await this.changes.look(findings);
    }
    await this.heap.tick();
  }

  private compose({ ledger, groups }: LedgerCounts): Verdicts {
    const { watchedMs, findings } = leakFindings();
    const verdicts = verdictsOf(findings, groups, this.heap.found?.site ?? null);
    return {
      takenAt: Date.now(),
      state: verdicts[0]?.state ?? 'not-enough-data',
      sentence: verdictsSentence({ verdicts, watchedMs }, ledger.running),
      watchedMs: Math.round(watchedMs),
      rss: processMemory(),
      verdicts,
      totalCount: verdicts.length,
    };
  }
}

/** One that no line of the ledger explains. */
function isRisingHeap({ subject, state, partOf }: Finding): boolean {
  return subject === 'heap' && partOf === undefined && (state === 'growing' || state === 'leaking');
}
