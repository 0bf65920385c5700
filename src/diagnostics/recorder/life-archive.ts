import type { HistorySample, RecorderStatus } from '../../contract/recorder.schema.js';
import type { ReadLife } from './files/life-reader.js';
import type { LifeHeader, LifeRecord } from './files/life-record.js';

/** A record with a sample. */
export type SampleRecord = Extract<LifeRecord, { sample: unknown }>;

/** A life as an archive knows it. A crash leaves no word there: of its exit nothing is known. */
export interface ArchivedLife extends ReadLife {
  id: string;
}

/** What an archive holds of one replica, and the names of all of which it holds something. */
export interface ArchiveContents {
  /** Latest first. */
  lives: readonly ArchivedLife[];
  instances: readonly { instance: string; lastAt: number }[];
}

/** Where lives are kept besides memory and file: a place that outlives the machine. */
export interface LifeArchive {
  readonly status: NonNullable<RecorderStatus['copy']>;
  /** Takes one record. Returns at once and never throws; what cannot be taken is dropped and counted. */
  write(life: LifeHeader, record: SampleRecord): void;
  /** Notes that the life has ended in an orderly way. Resolves within half a second, whether that worked or not. */
  end(life: LifeHeader, stoppedAt: number): Promise<void>;
  /** At most `maxLives` of a replica. @throws Error when it does not answer within two seconds */
  read(instance: string, maxLives: number): Promise<ArchiveContents>;
  /** What is kept of a life, oldest first, a batch at a time; nothing when it is not known. @throws as `read` */
  samples(instance: string, life: string): AsyncIterable<readonly HistorySample[]>;
}
