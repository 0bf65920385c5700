import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { PprofFrame } from './pprof-frame.js';
import { MAPPING_ID, PprofTables } from './pprof-tables.js';
import { bytesOf, lengthField, lengthTag, numberField, numberTag, varint, varints } from './protobuf-text.js';
import { TextBytes } from './text-bytes.js';

const gzipped = promisify(gzip);

/** What is compressed on the spot: 3 ms at most, half of what it takes to have it done elsewhere. */
const ON_THE_SPOT_BYTES = 512 * 1_024;

/** What is counted, and in which unit (`count`, `bytes`, `nanoseconds`). */
export type SampleType = readonly [type: string, unit: string];

export interface PprofSettings {
  readonly sampleTypes: readonly SampleType[];
  /** Shown first by those who show one. */
  readonly defaultType: string;
  /** What one sample stands for; none for what is counted one by one. */
  readonly period?: { readonly type: SampleType; readonly value: number };
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
  /** How long was looked at, in milliseconds; 0 for a state. */
  readonly durationMs?: number;
  /** For people: `go tool pprof -comments`. */
  readonly comments?: readonly string[];
}

const NANOSECONDS_PER_MS = 1_000_000;

// The numbers of the fields in profile.proto.
const PROFILE = {
  sampleType: 1,
  sample: 2,
  mapping: 3,
  timeNanos: 9,
  durationNanos: 10,
  periodType: 11,
  period: 12,
  comment: 13,
  defaultSampleType: 14,
} as const;
const VALUE_TYPE = { type: 1, unit: 2 } as const;
const SAMPLE = { value: 2 } as const;
const MAPPING = { id: 1, filename: 5, hasFunctions: 7, hasFilenames: 8, hasLineNumbers: 9 } as const;

const SAMPLE_VALUES = lengthTag(SAMPLE.value);
const SAMPLE_HEAD = lengthTag(PROFILE.sample);

/**
 * Writes one profile in the format of pprof (profile.proto, gzipped), each message as it comes: objects for all of them, measured
 * and then encoded, were half of what a profile cost.
 */
export class PprofBuilder {
  private readonly samples = new TextBytes();

  /** @param tables of what was written before, where profiles share them */
  constructor(
    private readonly settings: PprofSettings,
    private readonly tables = new PprofTables(),
  ) {}

  /**
   * @param stack innermost first; the same object for what is on many stacks is cheapest
   * @param values one per sample type; whole numbers, negative where something has become less
   * @param labels of each its key, then its text
   */
  add(stack: readonly PprofFrame[], values: readonly number[], labels: readonly string[] = []): void {
    this.addWritten(this.tables.written(stack, labels), values);
  }

  /** The same with what the tables gave for stack and labels. */
  addWritten(written: string, values: readonly number[]): void {
    const figures = varints(values);
    const sample = written + SAMPLE_VALUES + varint(figures.length) + figures;
    this.samples.add(SAMPLE_HEAD + varint(sample.length) + sample);
  }

  /** The file. Nothing can be added afterwards. What takes long to compress is compressed outside the event loop. */
  async encode(): Promise<Buffer> {
    const { sampleTypes, defaultType, period, takenAt, durationMs = 0, comments = [] } = this.settings;
    let head = '';
    for (const type of sampleTypes) head += this.valueType(PROFILE.sampleType, type);
    head += this.mapping();
    head += numberField(PROFILE.timeNanos, nanoseconds(takenAt));
    head += numberField(PROFILE.durationNanos, nanoseconds(durationMs));
    if (period) {
      head += this.valueType(PROFILE.periodType, period.type);
      head += numberField(PROFILE.period, period.value);
    }
    for (const comment of comments) head += numberTag(PROFILE.comment) + this.tables.place(comment);
    head += numberTag(PROFILE.defaultSampleType) + this.tables.place(defaultType);
    return compressed(Buffer.concat([bytesOf(head), ...this.samples.take(), ...this.tables.messages()]));
  }

  /** Says that functions and lines are known, so that nobody looks for symbols in a binary. */
  private mapping(): string {
    const flags = [MAPPING.hasFunctions, MAPPING.hasFilenames, MAPPING.hasLineNumbers];
    return lengthField(
      PROFILE.mapping,
      numberField(MAPPING.id, MAPPING_ID) +
        (numberTag(MAPPING.filename) + this.tables.place('node')) +
        flags.map((flag) => numberField(flag, 1)).join(''),
    );
  }

  private valueType(field: number, [type, unit]: SampleType): string {
    const content =
      numberTag(VALUE_TYPE.type) + this.tables.place(type) + numberTag(VALUE_TYPE.unit) + this.tables.place(unit);
    return lengthField(field, content);
  }
}

function compressed(bytes: Buffer): Buffer | Promise<Buffer> {
  // The least of work: it is taken away once, and half of its size is saved by any level. Room for all of it at once.
  const options = { level: 1, chunkSize: Math.max(1_024, bytes.length) };
  return bytes.length <= ON_THE_SPOT_BYTES ? gzipSync(bytes, options) : gzipped(bytes, options);
}

/** Beyond 2⁵³ as soon as it is an instant. */
function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms)) * BigInt(NANOSECONDS_PER_MS);
}
