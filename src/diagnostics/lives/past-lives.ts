import type { HistorySample, Life, Lives } from '../../contract/recorder.schema.js';
import type { EvidenceDirectory, EvidenceEntry } from '../recorder/files/evidence-directory.js';
import { fileSamples, readLife } from '../recorder/files/life-reader.js';
import type { LifeHeader } from '../recorder/files/life-record.js';
import type { ArchivedLife, LifeArchive } from '../recorder/life-archive.js';
import { archivedEnd, lifeEnd } from '../recorder/life-end.js';
import { sectionError } from '../summary/section-error.js';

const MAX_PREVIOUS = 20;
/** What is read of the files of one life. */
const MAX_SERIES_BYTES = 8 * 1_048_576;

/** Lives before the present one, and what else is known beside them. */
export interface PastLivesAnswer extends Pick<Lives, 'previous' | 'instances' | 'unread'> {
  /** Evidence of the present life. */
  evidence: Life['evidence'];
}

/** Lives that are over, or run elsewhere: from the files of this machine and, where those are gone, from the archive. */
export class PastLives {
  constructor(
    private readonly own: LifeHeader,
    private readonly directory: EvidenceDirectory | undefined,
    private readonly archive: LifeArchive | undefined,
  ) {}

  /** Never rejects: of a life whose files are damaged less is known, and an archive that does not answer is told as such. */
  async read(instance = this.own.instance): Promise<PastLivesAnswer> {
    const [byLife, archived] = await Promise.all([this.filesByLife(instance), this.archived(instance)]);
    const evidence = evidenceOf(byLife.get(this.own.id) ?? []);
    byLife.delete(this.own.id);
    const inArchive = new Map(archived.lives.map((life) => [life.id, life]));
    inArchive.delete(this.own.id);
    // Ids begin with the moment of the start.
    const ids = [...new Set([...byLife.keys(), ...inArchive.keys()])].sort((a, b) => (a < b ? 1 : -1));
    const lives = ids
      .slice(0, MAX_PREVIOUS)
      .map((id) => this.life(instance, id, byLife.get(id) ?? [], inArchive.get(id)));
    return { previous: await Promise.all(lives), instances: archived.instances, unread: archived.unread, evidence };
  }

  /** Samples of a life, oldest first, a batch at a time; nothing when it is not known. @throws when the archive does not answer */
  async *samples(instance: string, life: string): AsyncGenerator<readonly HistorySample[]> {
    const files = (await this.filesByLife(instance)).get(life)?.filter(({ type }) => type === 'life') ?? [];
    let isKnown = false;
    if (this.directory !== undefined) {
      for await (const batch of fileSamples(this.directory, files, MAX_SERIES_BYTES)) {
        isKnown ||= batch.length > 0;
        yield batch;
      }
    }
    if (!isKnown && this.archive !== undefined) yield* this.archive.samples(instance, life);
  }

  private async filesByLife(instance: string): Promise<Map<string, EvidenceEntry[]>> {
    const byLife = new Map<string, EvidenceEntry[]>();
    for (const entry of (await this.directory?.list()) ?? []) {
      if (entry.instance !== instance) continue;
      const files = byLife.get(entry.life);
      if (files === undefined) byLife.set(entry.life, [entry]);
      else files.push(entry);
    }
    return byLife;
  }

  private async archived(
    instance: string,
  ): Promise<{ lives: readonly ArchivedLife[] } & Pick<Lives, 'instances' | 'unread'>> {
    if (this.archive === undefined) return { lives: [], instances: [], unread: null };
    try {
      const { lives, instances } = await this.archive.read(instance, MAX_PREVIOUS + 1);
      return { lives, instances: [...instances], unread: null };
    } catch (error) {
      return { lives: [], instances: [], unread: sectionError(error).error };
    }
  }

  private async life(
    instance: string,
    id: string,
    files: readonly EvidenceEntry[],
    archived: ArchivedLife | undefined,
  ): Promise<Life> {
    const pieces = files.filter(({ type }) => type === 'life');
    const read = this.directory === undefined || pieces.length === 0 ? null : await readLife(this.directory, pieces);
    const isReadable = read !== null && (read.header !== null || read.last !== null);
    const known = isReadable ? read : (archived ?? read);
    const { header = null, last = null } = known ?? {};
    return {
      id,
      instance,
      pid: header?.pid ?? 0,
      startedAt: header?.startedAt ?? files[0]?.writtenAt ?? last?.sample.at ?? 0,
      ...this.end(instance, known, known === archived),
      lastSample: last?.sample ?? null,
      verdicts: last?.verdicts ?? [],
      evidence: evidenceOf(files),
    };
  }

  private end(
    instance: string,
    known: ArchivedLife | Awaited<ReturnType<typeof readLife>> | null,
    isArchived: boolean,
  ): Pick<Life, 'end' | 'endedAt' | 'exitCode'> {
    if (known === null) return { end: 'unknown', endedAt: null, exitCode: null };
    if (!isArchived) return lifeEnd(known);
    return archivedEnd(known, Date.now(), instance === this.own.instance ? this.own.startedAt : 0);
  }
}

function evidenceOf(files: readonly EvidenceEntry[]): Life['evidence'] {
  return files
    .filter(({ type }) => type === 'evidence')
    .map(({ name, writtenAt, bytes }) => ({ name, writtenAt, bytes }));
}
