import { closeSync, openSync, writeSync } from 'node:fs';
import type { RecorderStatus } from '../../../contract/recorder.schema.js';
import type { DiagnosticsLog } from '../../diagnostics-log.js';
import { sectionError, ShownError } from '../../summary/section-error.js';
import type { EvidenceDirectory } from './evidence-directory.js';
import { onProcessExit } from './exit-marks.js';
import type { LifeHeader, LifeRecord } from './life-record.js';
import { recordLine } from './record-line.js';

/** A disk that takes longer than this for a line would hold up the service… */
const SLOW_WRITE_MS = 250;
/** …and is left alone, once so many lines in a row took that long… */
const SLOW_LINES = 2;
/** …for so long. */
const REST_MS = 60_000;
/** Shares of what the directory may hold: one file of a life, all files of it. */
export const FILE_SHARE = 1 / 16;
const LIFE_SHARE = 1 / 2;

/**
 * What a life writes about itself, one line per record. Each is appended with one synchronous write: when that has returned
 * the line is the kernel's, and whatever becomes of the process cannot take it back. Never throws: what cannot be written is
 * told once, and the next record is tried again.
 */
export class LifeFile {
  private readonly maxFileBytes: number;
  private readonly keptCount: number;
  private fd: number | undefined;
  private number = 0;
  private writtenBytes = 0;
  private hasHeader = false;
  /** The last line is not complete. */
  private isTorn = false;
  private restsUntilMs = 0;
  /** In a row. */
  private slowLines = 0;
  private failure: string | null = null;
  /** The same without names of files. */
  private shownFailure: string | null = null;
  private lostCount = 0;
  private takenCount = 0;

  constructor(
    private readonly directory: EvidenceDirectory,
    private readonly header: LifeHeader,
    private readonly log: DiagnosticsLog,
  ) {
    this.maxFileBytes = Math.floor(directory.maxBytes * FILE_SHARE);
    this.keptCount = Math.floor(LIFE_SHARE / FILE_SHARE);
  }

  /** Records that were written and that could not be; why nothing can be at present, null while all is well. */
  get status(): NonNullable<RecorderStatus['file']> {
    return { writtenCount: this.takenCount, droppedCount: this.lostCount, failing: this.shownFailure };
  }

  /** Begins the file, so that even a life without a sample is known. */
  start(): void {
    // Kept beyond `stop`: with which code the process exits is known last of all.
    onProcessExit((exitCode) => {
      this.write({ exitedAt: Date.now(), exitCode });
      this.close();
    });
    this.attempt(() => this.open());
  }

  write(record: LifeRecord): void {
    const startedMs = performance.now();
    if (startedMs < this.restsUntilMs) {
      this.lostCount += 1;
      return;
    }
    const isWritten = this.attempt(() => {
      const line = recordLine(record);
      if (this.writtenBytes + line.length > this.maxFileBytes) this.next();
      this.open();
      this.put(line);
      const tookMs = performance.now() - startedMs;
      // One of them may have met a long collection, or a process that did not get the processor: then the disk is well.
      this.slowLines = tookMs < SLOW_WRITE_MS ? 0 : this.slowLines + 1;
      if (this.slowLines < SLOW_LINES) return;
      this.restsUntilMs = startedMs + tookMs + REST_MS;
      throw new ShownError(`it took ${Math.round(tookMs)} ms for one line and is left alone for ${REST_MS / 1_000} s`);
    });
    if (isWritten) this.takenCount += 1;
    else {
      this.lostCount += 1;
      this.slowLines = 0;
    }
  }

  /** Says that the life ended in an orderly way. */
  stop(): void {
    this.write({ stoppedAt: Date.now() });
    this.close();
  }

  private open(): void {
    if (this.fd === undefined) {
      const { instance, id: life } = this.header;
      this.directory.make();
      this.directory.makeRoom(instance, this.maxFileBytes, {
        keep: (entry) => this.keeps(entry),
        rather: (entry) => entry.life === life && entry.type === 'evidence',
      });
      this.fd = openSync(this.directory.file({ instance, life, number: this.number, type: 'life' }), 'a', 0o600);
    }
    if (this.hasHeader) return;
    this.put(recordLine({ life: this.header }));
    this.hasHeader = true;
  }

  private keeps({ life, type, number }: { life: string; type: string; number: number }): boolean {
    return life === this.header.id && type === 'life' && number > this.number - this.keptCount;
  }

  private next(): void {
    this.close();
    this.number += 1;
    this.writtenBytes = 0;
    this.hasHeader = false;
    this.isTorn = false;
  }

  private close(): void {
    const { fd } = this;
    this.fd = undefined;
    if (fd !== undefined) this.attempt(() => closeSync(fd));
  }

  private put(line: Buffer): void {
    // What follows half a line would be lost with it.
    const bytes = this.isTorn ? Buffer.concat([Buffer.from('\n'), line]) : line;
    this.isTorn = true;
    const count = writeSync(this.fd!, bytes);
    this.writtenBytes += count;
    if (count < bytes.length) throw new ShownError(`no space: ${count} of ${bytes.length} bytes were written`);
    this.isTorn = false;
  }

  /** @returns whether it worked */
  private attempt(work: () => void): boolean {
    try {
      work();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (this.failure === null) this.log.warn(`the recorder cannot write its file, the service goes on: ${text}`);
      this.failure = text;
      this.shownFailure = sectionError(error).error;
      return false;
    }
    if (this.failure !== null) this.log.info('the recorder writes its file again');
    this.failure = null;
    this.shownFailure = null;
    return true;
  }
}
