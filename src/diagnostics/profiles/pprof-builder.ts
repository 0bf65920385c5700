import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ProtobufWriter } from './protobuf-writer.js';

const gzipped = promisify(gzip);

/** A function on a stack, as pprof knows it. */
export interface PprofFrame {
  readonly name: string;
  readonly file: string;
  /** 1-based, 0 when there is none. */
  readonly line: number;
}

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
const MAPPING_ID = 1;

// The numbers of the fields in profile.proto.
const PROFILE = {
  sampleType: 1,
  sample: 2,
  mapping: 3,
  location: 4,
  function: 5,
  stringTable: 6,
  timeNanos: 9,
  durationNanos: 10,
  periodType: 11,
  period: 12,
  comment: 13,
  defaultSampleType: 14,
} as const;
const VALUE_TYPE = { type: 1, unit: 2 } as const;
const SAMPLE = { locationId: 1, value: 2, label: 3 } as const;
const LABEL = { key: 1, text: 2 } as const;
const MAPPING = { id: 1, filename: 5, hasFunctions: 7, hasFilenames: 8, hasLineNumbers: 9 } as const;
const LOCATION = { id: 1, mappingId: 2, line: 4 } as const;
const LINE = { functionId: 1, line: 2 } as const;
const FUNCTION = { id: 1, name: 2, systemName: 3, filename: 4 } as const;

interface KnownFunction {
  readonly id: number;
  /** Most have one line on all stacks: a table each would be most of what a profile leaves to the collector. */
  readonly line: number;
  readonly locationId: number;
  /** Ids of its other locations. */
  byLine: Map<number, number> | undefined;
}

/**
 * Writes one profile in the format of pprof (profile.proto, gzipped), each message as it comes: objects for all of them, measured
 * and then encoded, were half of what a profile cost.
 */
export class PprofBuilder {
  private readonly out = new ProtobufWriter();
  /** The first is always empty. */
  private readonly strings = new Map<string, number>([['', 0]]);
  /** By file, by name. */
  private readonly known = new Map<string, Map<string, KnownFunction>>();
  /** The same frame is the same location: most are on many stacks, and to ask for an object is what costs least. */
  private readonly byFrame = new Map<PprofFrame, number>();
  private functionsCount = 0;
  private locationsCount = 0;

  constructor(private readonly settings: PprofSettings) {}

  /**
   * @param stack innermost first; the same object for what is on many stacks is cheapest
   * @param values one per sample type; whole numbers, negative where something has become less
   */
  add(stack: readonly PprofFrame[], values: readonly number[], labels: Readonly<Record<string, string>> = {}): void {
    const { out } = this;
    // Before the sample is begun: those that are new are written at once.
    const locations: number[] = [];
    for (const frame of stack) locations.push(this.byFrame.get(frame) ?? this.location(frame));
    const sample = out.begin(PROFILE.sample);
    out.numbers(SAMPLE.locationId, locations);
    out.numbers(SAMPLE.value, values);
    for (const key in labels) {
      out.message(SAMPLE.label, [LABEL.key, this.string(key), LABEL.text, this.string(labels[key])]);
    }
    out.end(sample);
  }

  /** The file. Nothing can be added afterwards. Compressed outside the event loop. */
  async encode(): Promise<Buffer> {
    const { out } = this;
    const { sampleTypes, defaultType, period, takenAt, durationMs = 0, comments = [] } = this.settings;
    for (const type of sampleTypes) this.valueType(PROFILE.sampleType, type);
    this.mapping();
    out.number(PROFILE.timeNanos, nanoseconds(takenAt));
    out.number(PROFILE.durationNanos, nanoseconds(durationMs));
    if (period) {
      this.valueType(PROFILE.periodType, period.type);
      out.number(PROFILE.period, period.value);
    }
    out.numbers(
      PROFILE.comment,
      comments.map((comment) => this.string(comment)),
    );
    out.number(PROFILE.defaultSampleType, this.string(defaultType));
    out.texts(PROFILE.stringTable, this.strings.keys());
    // The least of work: it is taken away once, and half of its size is saved by any level.
    return gzipped(out.written, { level: 1 });
  }

  private location(frame: PprofFrame): number {
    const { name, file, line } = frame;
    // Map in map: a key made of both would be a new string for every frame, and there are many thousands.
    let inFile = this.known.get(file);
    if (!inFile) this.known.set(file, (inFile = new Map()));
    const found = inFile.get(name);
    let id = found?.line === line ? found.locationId : found?.byLine?.get(line);
    if (id === undefined) {
      id = ++this.locationsCount;
      const functionId = found?.id ?? this.function(name, file);
      this.writeLocation(id, functionId, line);
      if (found) (found.byLine ??= new Map()).set(line, id);
      else inFile.set(name, { id: functionId, line, locationId: id, byLine: undefined });
    }
    this.byFrame.set(frame, id);
    return id;
  }

  private writeLocation(id: number, functionId: number, line: number): void {
    const { out } = this;
    const location = out.begin(PROFILE.location);
    out.number(LOCATION.id, id);
    out.number(LOCATION.mappingId, MAPPING_ID);
    out.message(LOCATION.line, [LINE.functionId, functionId, LINE.line, line]);
    out.end(location);
  }

  private function(name: string, file: string): number {
    const id = ++this.functionsCount;
    const shown = this.string(name);
    this.out.message(PROFILE.function, [
      FUNCTION.id,
      id,
      FUNCTION.name,
      shown,
      FUNCTION.systemName,
      shown,
      FUNCTION.filename,
      this.string(file),
    ]);
    return id;
  }

  /** Says that functions and lines are known, so that nobody looks for symbols in a binary. */
  private mapping(): void {
    const flags = [MAPPING.hasFunctions, 1, MAPPING.hasFilenames, 1, MAPPING.hasLineNumbers, 1];
    this.out.message(PROFILE.mapping, [MAPPING.id, MAPPING_ID, MAPPING.filename, this.string('node'), ...flags]);
  }

  private valueType(field: number, [type, unit]: SampleType): void {
    this.out.message(field, [VALUE_TYPE.type, this.string(type), VALUE_TYPE.unit, this.string(unit)]);
  }

  /** The place of a text in the table of strings. */
  private string(text: string): number {
    let place = this.strings.get(text);
    if (place === undefined) this.strings.set(text, (place = this.strings.size));
    return place;
  }
}

/** Beyond 2⁵³ as soon as it is an instant. */
function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms)) * BigInt(NANOSECONDS_PER_MS);
}
