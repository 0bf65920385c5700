/*
 * endpoint                         parameter  values             unit  cost
 * GET /diagnostics/lives           instance   name of a replica  –     the ends of the files of at most 20 lives are read;
 *                                  format     json, text         –     one round trip to Redis where a copy is kept there
 * GET /diagnostics/evidence/:name  –          –                  –     one file is read, some 200 KiB
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { replyInstantSchema } from '../../contract/common.schema.js';
import {
  type HistorySample,
  type Life,
  type Lives,
  livesQuerySchema,
  type LivesQuery,
  livesSchema,
} from '../../contract/recorder.schema.js';
import type { Verdict } from '../../contract/verdict.schema.js';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { formatSchema, jsonOrText } from '../http/http-query.js';
import { HttpRefusal } from '../http/http-refusal.js';
import type { EvidenceDirectory } from '../recorder/files/evidence-directory.js';
import type { LifeHeader } from '../recorder/files/life-record.js';
import { lifeText, livesText } from './lives-text.js';
import type { PastLives } from './past-lives.js';

/** How often the lives are looked for at the start, until the archive answers. */
const FIRST_LOOKS = 6;
const LOOK_PAUSE_MS = 5_000;

/** What the lives are told from. */
export interface LivesInputs {
  life: LifeHeader;
  past: PastLives;
  directory: EvidenceDirectory | undefined;
  lastSample(): HistorySample | null;
  suspects(): readonly Verdict[];
}

/** The lives of this instance: the present one, and how those before it ended. */
export class LivesPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics/lives',
      summary: 'The lives of this instance: how each ended, its last sample, its last verdicts, its evidence.',
      query: z.strictObject({ ...livesQuerySchema.shape, format: formatSchema }),
      answers: { 'application/json': livesSchema, 'text/plain': null },
      answer: async ({ query: { format, ...wanted } }) => {
        const lives = await this.read(wanted);
        return jsonOrText(format, lives, () => livesText(lives));
      },
    }),
    endpoint({
      method: 'GET',
      path: '/diagnostics/evidence/:name',
      summary: 'A file of evidence that /diagnostics/lives lists.',
      query: z.strictObject({}),
      answers: { 'application/json': z.looseObject({ at: replyInstantSchema }) },
      refusals: ['NOT_FOUND'],
      answer: async ({ params }) => ({
        type: 'application/json; charset=utf-8',
        body: await this.evidence(params['name']!),
      }),
    }),
  ];

  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(
    private readonly inputs: LivesInputs,
    private readonly log: DiagnosticsLog,
  ) {}

  /** Tells the log how the life before this one ended, unless in an orderly way. */
  start(): void {
    void this.tellHowTheLastEnded(FIRST_LOOKS);
  }

  stop(): void {
    uncounted.timers.clearTimeout(this.timer);
    this.timer = undefined;
    this.isStopped = true;
  }

  private async tellHowTheLastEnded(looks: number): Promise<void> {
    const { previous, unread } = await this.inputs.past.read();
    if (this.isStopped) return;
    // At the start of a process its archive may not be connected yet.
    if (unread !== null && looks > 1) {
      this.timer = uncounted.timers.setTimeout(() => void this.tellHowTheLastEnded(looks - 1), LOOK_PAUSE_MS).unref();
      return;
    }
    const [last] = previous;
    if (last !== undefined && last.end !== 'clean' && last.end !== 'running')
      this.log.warn(`the life before this one: ${lifeText(last).trimEnd().replaceAll('\n  ', '; ')}`);
  }

  /** Never rejects: of a life whose files are damaged less is known. */
  async read({ instance: wanted }: LivesQuery): Promise<Lives> {
    const { past, life, lastSample, suspects } = this.inputs;
    const { evidence, ...others } = await past.read(wanted);
    const { id, instance, pid, startedAt } = life;
    const current: Life = {
      ...{ id, instance, pid, startedAt },
      ...{ endedAt: null, end: 'running', exitCode: null },
      lastSample: lastSample(),
      verdicts: [...suspects()],
      evidence,
    };
    return { takenAt: Date.now(), current, ...others };
  }

  /** @throws HttpRefusal NOT_FOUND for what is no file of evidence */
  private async evidence(name: string): Promise<string> {
    const { directory } = this.inputs;
    // Only what is listed: a name is never made into a path.
    const entry = (await directory?.list())?.find((one) => one.type === 'evidence' && one.name === name);
    if (directory === undefined || entry === undefined) throw new HttpRefusal('NOT_FOUND', 'no evidence has this name');
    return readFile(directory.file(entry), 'utf8');
  }
}
