import { open } from 'node:fs/promises';
import type { HistorySample } from '../../../contract/recorder.schema.js';
import type { EvidenceDirectory, EvidenceEntry } from './evidence-directory.js';
import { type LifeHeader, type LifeRecord, lifeRecordSchema } from './life-record.js';
import { parsedLines } from './record-line.js';

/** The header is the first line. */
const HEAD_BYTES = 4_096;
/** Enough for the last record, however long, and some before it. */
const TAIL_BYTES = 131_072;

type SampleRecord = Extract<LifeRecord, { sample: unknown }>;

/** What can be read of a life that is over, or of one that runs elsewhere. */
export interface ReadLife {
  /** Null when its line is damaged. */
  header: LifeHeader | null;
  last: SampleRecord | null;
  stoppedAt: number | null;
  exit: { at: number; code: number } | null;
}

/** Reads the beginning and the end of the files of one life, oldest file first. Never rejects: what cannot be read is missing. */
export async function readLife(directory: EvidenceDirectory, files: readonly EvidenceEntry[]): Promise<ReadLife> {
  const read: ReadLife = { header: null, last: null, stoppedAt: null, exit: null };
  // From the end: the last file may hold nothing but its header.
  for (const file of [...files].reverse()) {
    const records = [
      ...(await recordsOf(directory.file(file), 0, HEAD_BYTES)),
      ...(await recordsOf(directory.file(file), Math.max(0, file.bytes - TAIL_BYTES), TAIL_BYTES)),
    ];
    for (const record of records.reverse()) {
      if ('life' in record) read.header ??= record.life;
      else if ('sample' in record) read.last ??= record;
      else if ('stoppedAt' in record) read.stoppedAt ??= record.stoppedAt;
      else read.exit ??= { at: record.exitedAt, code: record.exitCode };
    }
    if (read.header !== null && read.last !== null) break;
  }
  return read;
}

/** The last samples of a life, oldest first, as far as they stand in the last `maxBytes` of its files. Never rejects. */
export async function readSamples(
  directory: EvidenceDirectory,
  files: readonly EvidenceEntry[],
  maxBytes: number,
): Promise<HistorySample[]> {
  let samples: HistorySample[] = [];
  let leftBytes = maxBytes;
  for (const file of [...files].reverse()) {
    if (leftBytes <= 0) break;
    const records = await recordsOf(directory.file(file), Math.max(0, file.bytes - leftBytes), leftBytes);
    samples = [...records.flatMap((record) => ('sample' in record ? record.sample : [])), ...samples];
    leftBytes -= file.bytes;
  }
  return samples;
}

async function recordsOf(path: string, from: number, lengthBytes: number): Promise<LifeRecord[]> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, from);
      return parsedLines(buffer.subarray(0, bytesRead)).flatMap((record) => {
        // Written by another version, perhaps.
        const parsed = lifeRecordSchema.safeParse(record);
        return parsed.success ? [parsed.data] : [];
      });
    } finally {
      await file.close();
    }
  } catch {
    return [];
  }
}
