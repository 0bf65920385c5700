import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import {
  bytesOf,
  FIXED_BYTES,
  fixed,
  lengthField,
  lengthTag,
  numberField,
  numberTag,
  textsField,
  varint,
  varints,
} from './protobuf-text.js';
import { TextBytes } from './text-bytes.js';

const gzipped = promisify(gzip);

/** What is compressed on the spot: 3 ms at most, half of what it takes to have it done elsewhere. */
const ON_THE_SPOT_BYTES = 512 * 1_024;

/** A call on a stack. */
export interface PprofFrame {
  /** Its name; null when it has none. */
  readonly function: string | null;
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

/*
 * Of what there are thousands of: what stands before the numbers that differ. Ids, places and lines are written with the same
 * number of bytes, so that lengths are known.
 */
const SAMPLE_LOCATIONS = lengthTag(SAMPLE.locationId);
const SAMPLE_VALUES = lengthTag(SAMPLE.value);
const SAMPLE_HEAD = lengthTag(PROFILE.sample);
const LABEL_BYTES = 2 * (1 + FIXED_BYTES);
const LABEL_HEAD = lengthTag(SAMPLE.label) + varint(LABEL_BYTES) + numberTag(LABEL.key);
const LABEL_TEXT = numberTag(LABEL.text);
const LINE_BYTES = 2 * (1 + FIXED_BYTES);
const LOCATION_MAPPING = numberField(LOCATION.mappingId, MAPPING_ID);
const LOCATION_BYTES = 1 + FIXED_BYTES + LOCATION_MAPPING.length + 2 + LINE_BYTES;
const LOCATION_HEAD = lengthTag(PROFILE.location) + varint(LOCATION_BYTES) + numberTag(LOCATION.id);
const LOCATION_FUNCTION = LOCATION_MAPPING + lengthTag(LOCATION.line) + varint(LINE_BYTES) + numberTag(LINE.functionId);
const LOCATION_LINE = numberTag(LINE.line);
const FUNCTION_BYTES = 4 * (1 + FIXED_BYTES);
const FUNCTION_HEAD = lengthTag(PROFILE.function) + varint(FUNCTION_BYTES) + numberTag(FUNCTION.id);
const FUNCTION_NAME = numberTag(FUNCTION.name);
const FUNCTION_SYSTEM_NAME = numberTag(FUNCTION.systemName);
const FUNCTION_FILE = numberTag(FUNCTION.filename);

/** As pprof shows it. */
export function nameOf({ function: name, file, line }: PprofFrame): string {
  return name ?? unnamed(file, line);
}

/** Without a name it would be one with every other of its kind. */
function unnamed(file: string, line: number): string {
  return `(anonymous ${file}:${line})`;
}

/** Ids and places as they are written. */
interface KnownFile {
  /** What its functions end with. */
  readonly end: string;
  /** Locations without a name, by line: each is a function of its own. */
  readonly unnamed: Map<number, string>;
  readonly named: Map<string, KnownFunction>;
}

interface KnownFunction {
  readonly id: string;
  /** Most have one line on all stacks, whose location has the id of the function: a table each would be most of what is left to the collector. */
  readonly line: number;
  /** Ids of its other locations. */
  byLine: Map<number, string> | undefined;
}

/**
 * Writes one profile in the format of pprof (profile.proto, gzipped), each message as it comes: objects for all of them, measured
 * and then encoded, were half of what a profile cost.
 */
export class PprofBuilder {
  private readonly samples = new TextBytes();
  private readonly locations = new TextBytes();
  private readonly functions = new TextBytes();
  /** The table of strings; the first is always empty. */
  private readonly texts: string[] = [''];
  /** Places of what is looked for in it. */
  private readonly places = new Map<string, string>([['', fixed(0)]]);
  /** Labels up to their text, by their key. */
  private readonly labelHeads = new Map<string, string>();
  private readonly files = new Map<string, KnownFile>();
  /** The same frame is the same location: most are on many stacks, and to ask for an object is what costs least. */
  private readonly byFrame = new Map<PprofFrame, string>();
  private locationsCount = 0;

  constructor(private readonly settings: PprofSettings) {}

  /**
   * @param stack innermost first; the same object for what is on many stacks is cheapest
   * @param values one per sample type; whole numbers, negative where something has become less
   * @param labels of each its key, then its text
   */
  add(stack: readonly PprofFrame[], values: readonly number[], labels: readonly string[] = []): void {
    const { byFrame, labelHeads, places } = this;
    let ids = '';
    // Counted, here and below: until it is compiled, an iterator costs more than what is done with what it gives.
    for (let at = 0; at < stack.length; at++) {
      const frame = stack[at]!;
      ids += byFrame.get(frame) ?? this.location(frame);
    }
    const figures = varints(values);
    let sample = SAMPLE_LOCATIONS + varint(ids.length) + ids + SAMPLE_VALUES + varint(figures.length) + figures;
    for (let at = 0; at < labels.length; at += 2) {
      const key = labels[at]!;
      const text = labels[at + 1]!;
      sample += (labelHeads.get(key) ?? this.labelHead(key)) + (places.get(text) ?? this.place(text));
    }
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
    for (const comment of comments) head += numberTag(PROFILE.comment) + this.place(comment);
    head += numberTag(PROFILE.defaultSampleType) + this.place(defaultType);
    const texts = bytesOf(textsField(PROFILE.stringTable, this.texts));
    const tables = [...this.samples.take(), ...this.locations.take(), ...this.functions.take(), texts];
    return compressed(Buffer.concat([bytesOf(head), ...tables]));
  }

  private labelHead(key: string): string {
    const head = LABEL_HEAD + this.place(key) + LABEL_TEXT;
    this.labelHeads.set(key, head);
    return head;
  }

  private location(frame: PprofFrame): string {
    const { function: name, file: path, line } = frame;
    const file = this.files.get(path) ?? this.file(path);
    const known = name === null ? undefined : file.named.get(name);
    const before = name === null ? file.unnamed.get(line) : known?.line === line ? known.id : known?.byLine?.get(line);
    if (before !== undefined) {
      this.byFrame.set(frame, before);
      return before;
    }
    const id = fixed(++this.locationsCount);
    // A function gets the id of its first location; without a name each location is a function.
    this.locations.add(LOCATION_HEAD + id + LOCATION_FUNCTION + (known?.id ?? id) + LOCATION_LINE + fixed(line));
    if (known === undefined) {
      const place = fixed(this.texts.push(name ?? unnamed(path, line)) - 1);
      this.functions.add(FUNCTION_HEAD + id + FUNCTION_NAME + place + FUNCTION_SYSTEM_NAME + place + file.end);
    }
    if (name === null) file.unnamed.set(line, id);
    else if (known === undefined) file.named.set(name, { id, line, byLine: undefined });
    else (known.byLine ??= new Map()).set(line, id);
    this.byFrame.set(frame, id);
    return id;
  }

  private file(path: string): KnownFile {
    const known: KnownFile = { end: FUNCTION_FILE + this.place(path), unnamed: new Map(), named: new Map() };
    this.files.set(path, known);
    return known;
  }

  /** Says that functions and lines are known, so that nobody looks for symbols in a binary. */
  private mapping(): string {
    const flags = [MAPPING.hasFunctions, MAPPING.hasFilenames, MAPPING.hasLineNumbers];
    return lengthField(
      PROFILE.mapping,
      numberField(MAPPING.id, MAPPING_ID) +
        (numberTag(MAPPING.filename) + this.place('node')) +
        flags.map((flag) => numberField(flag, 1)).join(''),
    );
  }

  private valueType(field: number, [type, unit]: SampleType): string {
    const content = numberTag(VALUE_TYPE.type) + this.place(type) + numberTag(VALUE_TYPE.unit) + this.place(unit);
    return lengthField(field, content);
  }

  /** The place of a text in the table of strings, as it is written. */
  private place(text: string): string {
    let place = this.places.get(text);
    if (place === undefined) this.places.set(text, (place = fixed(this.texts.push(text) - 1)));
    return place;
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
