import { open } from 'node:fs/promises';
import type { HistorySample } from '../../../contract/recorder.schema.js';
import type { EvidenceDirectory, EvidenceEntry } from './evidence-directory.js';
import { type LifeHeader, type LifeRecord, lifeRecordSchema } from './life-record.js';
import { parsedLines } from './record-line.js';

/** The header is the first line. */
const HEAD_BYTES = 4_096;
/** Enough for the last record, however long, and some before it. */
const TAIL_BYTES = 131_072;
/** What is read and parsed at once: the service goes on in between. */
const SLICE_BYTES = 262_144;

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

/**
 * The samples of a life, oldest first, a slice of a file at a time, as far as they stand in the last `maxBytes` of its files.
 * Never rejects: what cannot be read is missing.
 */
export async function* fileSamples(
  directory: EvidenceDirectory,
  files: readonly EvidenceEntry[],
  maxBytes: number,
): AsyncGenerator<HistorySample[]> {
  let skippedBytes = Math.max(0, files.reduce((sum, { bytes }) => sum + bytes, 0) - maxBytes);
  for (const file of files) {
    const from = Math.min(skippedBytes, file.bytes);
    skippedBytes -= from;
    let rest: Buffer = Buffer.alloc(0);
    for (let at = from; at < file.bytes; at += SLICE_BYTES) {
      const bytes = Buffer.concat([
        rest,
        await piece(directory.file(file), at, Math.min(SLICE_BYTES, file.bytes - at)),
      ]);
      const end = bytes.lastIndexOf('\n') + 1;
      // Longer than any record: no line of ours.
      rest = bytes.length - end > TAIL_BYTES ? Buffer.alloc(0) : bytes.subarray(end);
      yield recordsIn(bytes.subarray(0, end)).flatMap((record) => ('sample' in record ? record.sample : []));
    }
  }
}

async function recordsOf(path: string, from: number, lengthBytes: number): Promise<LifeRecord[]> {
  return recordsIn(await piece(path, from, lengthBytes));
}

function recordsIn(bytes: Buffer): LifeRecord[] {
  return parsedLines(bytes).flatMap((record) => {
    // Written by another version, perhaps.
    const parsed = lifeRecordSchema.safeParse(record);
    return parsed.success ? [parsed.data] : [];
  });
}

/** Empty when it cannot be read. */
async function piece(path: string, from: number, lengthBytes: number): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, from);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return Buffer.alloc(0);
  }
}
