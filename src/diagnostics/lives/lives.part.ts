/*
 * endpoint                      parameter  values      unit  cost
 * GET /diagnostics/lives        format     json, text  –     the ends of the files of at most 20 lives are read
 */
import { z } from 'zod';
import { type HistorySample, type Life, type Lives, livesSchema } from '../../contract/recorder.schema.js';
import type { Verdict } from '../../contract/verdict.schema.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { formatSchema, jsonOrText } from '../http/http-query.js';
import type { EvidenceDirectory, EvidenceEntry } from '../recorder/files/evidence-directory.js';
import type { LifeHeader } from '../recorder/files/life-record.js';
import { readLife } from '../recorder/files/life-reader.js';
import { lifeEnd } from '../recorder/life-end.js';
import { livesText } from './lives-text.js';

const MAX_PREVIOUS = 20;

/** What the lives are told from. */
export interface LivesInputs {
  life: LifeHeader;
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
      query: z.strictObject({ format: formatSchema }),
      answers: { 'application/json': livesSchema, 'text/plain': null },
      answer: async ({ query: { format } }) => {
        const lives = await this.read();
        return jsonOrText(format, lives, () => livesText([lives.current, ...lives.previous]));
      },
    }),
  ];

  constructor(
    private readonly inputs: LivesInputs,
    private readonly log: DiagnosticsLog,
  ) {}

  /** Tells the log how the life before this one ended, unless in an orderly way. */
  start(): void {
    if (this.inputs.directory === undefined) return;
    void this.read().then(({ previous: [last] }) => {
      if (last !== undefined && last.end !== 'clean' && last.end !== 'running')
        this.log.warn(`the life before this one: ${livesText([last]).trimEnd().replaceAll('\n  ', '; ')}`);
    });
  }

  /** Never rejects: of a life whose files are damaged less is known. */
  async read(): Promise<Lives> {
    const { life, directory } = this.inputs;
    const entries = (await directory?.list()) ?? [];
    const byLife = new Map<string, EvidenceEntry[]>();
    for (const entry of entries) {
      if (entry.instance !== life.instance) continue;
      const files = byLife.get(entry.life);
      if (files === undefined) byLife.set(entry.life, [entry]);
      else files.push(entry);
    }
    const { id, instance, pid, startedAt } = life;
    const current: Life = {
      ...{ id, instance, pid, startedAt },
      ...{ endedAt: null, end: 'running', exitCode: null },
      lastSample: this.inputs.lastSample(),
      verdicts: [...this.inputs.suspects()],
      evidence: evidenceOf(byLife.get(id) ?? []),
    };
    byLife.delete(id);
    const latest = [...byLife].sort(([a], [b]) => (a < b ? 1 : -1)).slice(0, MAX_PREVIOUS);
    const previous = directory === undefined ? [] : latest.map(([, files]) => this.previous(directory, files));
    return { takenAt: Date.now(), current, previous: await Promise.all(previous) };
  }

  private async previous(directory: EvidenceDirectory, files: EvidenceEntry[]): Promise<Life> {
    const read = await readLife(
      directory,
      files.filter(({ type }) => type === 'life'),
    );
    const { life: id, instance, writtenAt } = files[0]!;
    return {
      id,
      instance,
      pid: read.header?.pid ?? 0,
      startedAt: read.header?.startedAt ?? writtenAt,
      ...lifeEnd(read),
      lastSample: read.last?.sample ?? null,
      verdicts: read.last?.verdicts ?? [],
      evidence: evidenceOf(files),
    };
  }
}

function evidenceOf(files: readonly EvidenceEntry[]): Life['evidence'] {
  return files
    .filter(({ type }) => type === 'evidence')
    .map(({ name, writtenAt, bytes }) => ({ name, writtenAt, bytes }));
}
