/*
 * endpoint               parameter  values  unit  cost
 * GET /diagnostics/live  –          –       –     one sample every 2 s for all readers together, see the recorder
 *
 * Server-sent events: `sample` (of historySchema) at once and every 2 s, `verdicts` (of verdictsSchema, the worst 20) at once
 * and when they change, a comment every 15 s. At most 16 readers, the next one gets 503; one that does not keep up is
 * dropped. Without readers nothing runs.
 */
import { z } from 'zod';
import type { HistorySample } from '../../contract/recorder.schema.js';
import type { Verdicts } from '../../contract/verdict.schema.js';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { HttpRefusal } from '../http/http-refusal.js';
import type { SampleTaker } from '../recorder/sample-taker.js';
import { EventStream } from './event-stream.js';

export const MAX_READERS = 16;
/** The worst ones; `/diagnostics/verdicts` has all. */
const MAX_VERDICTS = 20;
const EVERY_MS = 2_000;
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2_000;

/** What the live events are made of. */
export interface LiveInputs {
  /** Used by nobody else: each sample is over the time since the one before. */
  taker: SampleTaker;
  /** The last sample of the recorder, for a reader that has just come. */
  lastSample(): HistorySample | null;
  /** The same object until they change; null where there are none. */
  verdicts(): Verdicts | null;
}

/** The process as it goes, for whoever looks at it right now. */
export class LivePart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics/live',
      summary: 'Server-sent events: a sample every 2 s, and the verdicts when they change.',
      query: z.strictObject({}),
      answers: { 'text/event-stream': null },
      refusals: ['UNAVAILABLE'],
      answer: () => ({
        type: 'text/event-stream; charset=utf-8',
        body: this.open(),
        // A proxy that gathers the answer would hold the events back.
        headers: { 'X-Accel-Buffering': 'no' },
      }),
    }),
  ];

  private readonly readers = new Set<EventStream>();
  private timer: NodeJS.Timeout | undefined;
  private lastSentMs = 0;
  private lastVerdicts: { from: Verdicts | null; json: string } = { from: null, json: '' };

  constructor(
    private readonly inputs: LiveInputs,
    private readonly log: DiagnosticsLog,
    private readonly everyMs = EVERY_MS,
  ) {}

  /** How many read now. */
  get readersCount(): number {
    return this.readers.size;
  }

  stop(): void {
    for (const reader of this.readers) reader.destroy();
    this.rest();
  }

  private open(): EventStream {
    if (this.readers.size >= MAX_READERS)
      throw new HttpRefusal('UNAVAILABLE', `${MAX_READERS} readers are here already`, {
        headers: { 'Retry-After': '10' },
      });
    const last = this.inputs.lastSample();
    if (this.timer === undefined) this.begin();
    // Nothing throws from here on: a reader that nobody was given would keep its place for ever.
    const reader = new EventStream();
    this.readers.add(reader);
    reader.once('close', () => {
      this.readers.delete(reader);
      if (this.readers.size === 0) this.rest();
    });
    reader.retryAfter(RETRY_MS);
    if (last !== null) reader.event('sample', JSON.stringify(last));
    if (this.lastVerdicts.json !== '') reader.event('verdicts', this.lastVerdicts.json);
    return reader;
  }

  private begin(): void {
    try {
      this.inputs.taker.start();
      this.renewVerdicts();
    } catch (error) {
      this.rest();
      throw error;
    }
    this.lastSentMs = performance.now();
    // After the timers of the turn, as the recorder does.
    this.timer = uncounted.timers.setInterval(() => setImmediate(() => this.tell()).unref(), this.everyMs);
    this.timer.unref();
  }

  private rest(): void {
    uncounted.timers.clearInterval(this.timer);
    this.timer = undefined;
    this.inputs.taker.stop();
  }

  private tell(): void {
    if (this.timer === undefined) return;
    try {
      const sample = JSON.stringify(this.inputs.taker.take());
      const isNew = this.renewVerdicts();
      for (const reader of this.readers) {
        reader.event('sample', sample);
        if (isNew) reader.event('verdicts', this.lastVerdicts.json);
      }
    } catch (error) {
      this.log.warn(`no live events: ${error instanceof Error ? error.message : String(error)}`);
      this.stop();
    }
    if (performance.now() - this.lastSentMs < HEARTBEAT_MS) return;
    this.lastSentMs = performance.now();
    for (const reader of this.readers) reader.heartbeat();
  }

  /** @returns whether there are others than before */
  private renewVerdicts(): boolean {
    const from = this.inputs.verdicts();
    if (from === this.lastVerdicts.from) return false;
    const json = from === null ? '' : JSON.stringify({ ...from, verdicts: from.verdicts.slice(0, MAX_VERDICTS) });
    this.lastVerdicts = { from, json };
    return json !== '';
  }
}
