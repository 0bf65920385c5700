/*
 * endpoint                  parameter  values                  unit  cost
 * GET /diagnostics/history  from       ms since the epoch      ms    O(samples): at most 360 fine and 360 coarse ones
 *                           step       1000 … 3600000          ms    the same; every sample is parsed and merged
 *                           format     json, text              –
 *
 * Without `from` all there is, without `step` as recorded. Anything else is refused with 400.
 */
import { z } from 'zod';
import { MAX_INSTANT_MS } from '../../contract/common.schema.js';
import { type History, type HistoryQuery, historySchema } from '../../contract/recorder.schema.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { formatSchema, wholeNumber } from '../http/http-query.js';
import type { HistoryRing } from '../recorder/history-ring.js';
import { mergedBySteps } from '../recorder/merged-sample.js';
import { historyText } from './history-text.js';

const querySchema = z.strictObject({
  from: wholeNumber(0, MAX_INSTANT_MS).optional(),
  step: wholeNumber(1_000, 3_600_000).optional(),
  format: formatSchema,
});

/** Steps that are tried, each twice as long, until an answer is short enough. */
const MIN_STEP_MS = 10_000;
const MAX_STEP_MS = 3_600_000;

/** What the process was like, as the recorder remembers it. */
export class HistoryPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics/history',
      summary: 'What the process was like: one sample per interval, the last hour fine, the last 24 hours coarse.',
      query: querySchema,
      answers: { 'application/json': historySchema, 'text/plain': null },
      answer: ({ query: { from, step, format } }) =>
        format === 'text'
          ? { type: 'text/plain; charset=utf-8', body: historyText(this.read({ from, step })) }
          : { type: 'application/json; charset=utf-8', body: this.json({ from, step }) },
    }),
  ];

  constructor(private readonly ring: HistoryRing) {}

  /** Oldest first. */
  read({ from, step }: HistoryQuery): History {
    const samples = this.ring.samples(from);
    return { takenAt: Date.now(), samples: step === undefined ? samples : mergedBySteps(samples, step) };
  }

  /** The same, merged further until it is no longer than `maxBytes` as JSON, or a single sample. */
  readWithin(maxBytes: number, { from, step }: HistoryQuery): History {
    let answer = this.read({ from, step });
    for (let stepMs = Math.max(MIN_STEP_MS, step ?? 0); JSON.stringify(answer).length > maxBytes; stepMs *= 2) {
      const { takenAt, samples } = answer;
      // Not even an hour each is short enough: the latest ones are worth most.
      if (stepMs > MAX_STEP_MS) answer = { takenAt, samples: samples.slice(Math.ceil(samples.length / 2)) };
      else answer = { takenAt, samples: mergedBySteps(samples, stepMs) };
      if (answer.samples.length <= 1) break;
    }
    return answer;
  }

  /** One sample a line: as readable as indented, at a third of its length. */
  private json(query: HistoryQuery): string {
    const samples =
      query.step === undefined
        ? this.ring.json(query.from)
        : this.read(query).samples.map((sample) => JSON.stringify(sample));
    return `{"takenAt":${Date.now()},"samples":[\n${samples.join(',\n')}\n]}\n`;
  }
}
