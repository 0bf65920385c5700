/*
 * endpoint                  parameter  values                  unit  cost
 * GET /diagnostics/history  from       ms since the epoch      ms    O(samples): at most 360 fine and 360 coarse ones
 *                           step       1000 … 3600000          ms    the same; every sample is parsed and merged
 *                           life       id of an earlier life   –     its last 8 MiB of files, or its stream in Redis, are read
 *                           instance   whose life that was     –
 *                           format     json, text              –
 *
 * Without `from` all there is, without `step` as recorded; of an earlier life 720 samples at most. Anything else is refused
 * with 400, a life of which nothing is known with 404.
 */
import { z } from 'zod';
import { MAX_INSTANT_MS } from '../../contract/common.schema.js';
import { type History, type HistoryQuery, historyQuerySchema, historySchema } from '../../contract/recorder.schema.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { formatSchema, jsonOrText, wholeNumber } from '../http/http-query.js';
import { HttpRefusal } from '../http/http-refusal.js';
import type { PastLives } from '../lives/past-lives.js';
import { BoundedSeries } from '../recorder/bounded-series.js';
import type { LifeHeader } from '../recorder/files/life-record.js';
import type { HistoryRing } from '../recorder/history-ring.js';
import { mergedBySteps } from '../recorder/merged-sample.js';
import { sectionError } from '../summary/section-error.js';
import { historyText } from './history-text.js';

const querySchema = z.strictObject({
  ...historyQuerySchema.shape,
  from: wholeNumber(0, MAX_INSTANT_MS).optional(),
  step: wholeNumber(1_000, 3_600_000).optional(),
  format: formatSchema,
});

/** Of an earlier life: two hours of them at the usual interval. */
const MAX_PAST_SAMPLES = 720;
/** Steps that are tried, each twice as long, until an answer is short enough. */
const MIN_STEP_MS = 10_000;
const MAX_STEP_MS = 3_600_000;

/** What is asked of a life that is not the present one. */
type PastQuery = HistoryQuery & { life: string };

/** What the process was like, as the recorder remembers it. */
export class HistoryPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics/history',
      summary: 'What the process was like: one sample per interval, the last hour fine, the last 24 hours coarse.',
      query: querySchema,
      answers: { 'application/json': historySchema, 'text/plain': null },
      refusals: ['NOT_FOUND', 'UNAVAILABLE'],
      answer: async ({ query: { format, life, ...wanted } }) => {
        if (life === undefined && wanted.instance !== undefined)
          throw new HttpRefusal('INVALID_ARGUMENT', 'instance: tell which of its lives, by life');
        if (life !== undefined && !this.isOwn(life)) {
          const past = await this.past({ life, ...wanted });
          if (past === null) throw new HttpRefusal('NOT_FOUND', 'nothing is kept of a life with this id');
          return jsonOrText(format, past, () => historyText(past));
        }
        return format === 'text'
          ? { type: 'text/plain; charset=utf-8', body: historyText(this.read(wanted)) }
          : { type: 'application/json; charset=utf-8', body: this.json(wanted) };
      },
    }),
  ];

  constructor(
    private readonly ring: HistoryRing,
    private readonly ownLife: LifeHeader,
    private readonly lives: PastLives,
  ) {}

  /** Whether a life is the one that goes on, which is read from memory. */
  isOwn(life: string): boolean {
    return life === this.ownLife.id;
  }

  /**
   * What is kept of an earlier life, or of one elsewhere; null when nothing is.
   * @throws HttpRefusal UNAVAILABLE when it may be in the archive, which does not answer
   */
  async past({ life, instance = this.ownLife.instance, from = 0, step = 1 }: PastQuery): Promise<History | null> {
    const series = new BoundedSeries(MAX_PAST_SAMPLES, step);
    let isKnown = false;
    try {
      for await (const batch of this.lives.samples(instance, life)) {
        for (const sample of batch) {
          isKnown = true;
          if (sample.at > from) series.add(sample);
        }
      }
    } catch (error) {
      throw new HttpRefusal('UNAVAILABLE', `lives that only Redis keeps cannot be read: ${sectionError(error).error}`);
    }
    return isKnown ? { takenAt: Date.now(), samples: series.samples } : null;
  }

  /** Of this life, oldest first. */
  read({ from, step }: HistoryQuery): History {
    const samples = this.ring.samples(from);
    return { takenAt: Date.now(), samples: step === undefined ? samples : mergedBySteps(samples, step) };
  }

  /** The same, merged further until it is no longer than `maxBytes` as JSON, or a single sample. */
  readWithin(maxBytes: number, { from, step }: HistoryQuery, whole = this.read({ from, step })): History {
    let answer = whole;
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
