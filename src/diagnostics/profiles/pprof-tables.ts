import { type PprofFrame, unnamed } from './pprof-frame.js';
import { bytesOf, FIXED_BYTES, fixed, lengthTag, numberField, numberTag, textsField, varint } from './protobuf-text.js';
import { TextBytes } from './text-bytes.js';

/** The one mapping of a profile. */
export const MAPPING_ID = 1;

// The numbers of the fields in profile.proto.
const PROFILE = { location: 4, function: 5, stringTable: 6 } as const;
const SAMPLE = { locationId: 1, label: 3 } as const;
const LABEL = { key: 1, text: 2 } as const;
const LOCATION = { id: 1, mappingId: 2, line: 4 } as const;
const LINE = { functionId: 1, line: 2 } as const;
const FUNCTION = { id: 1, name: 2, systemName: 3, filename: 4 } as const;

/*
 * Of what there are thousands of: what stands before the numbers that differ. Ids, places and lines are written with the same
 * number of bytes, so that lengths are known.
 */
const SAMPLE_LOCATIONS = lengthTag(SAMPLE.locationId);
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
 * What the samples of a profile refer to: locations, functions, texts. Only added to, so that one may serve many profiles: what no
 * sample refers to is no part of a profile for whoever reads it.
 */
export class PprofTables {
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

  /**
   * All of a sample but its values.
   * @param stack innermost first; the same object for what is on many stacks is cheapest
   * @param labels of each its key, then its text
   */
  written(stack: readonly PprofFrame[], labels: readonly string[]): string {
    const { byFrame, labelHeads, places } = this;
    let ids = '';
    // Counted, here and below: until it is compiled, an iterator costs more than what is done with what it gives.
    for (let at = 0; at < stack.length; at++) {
      const frame = stack[at]!;
      ids += byFrame.get(frame) ?? this.location(frame);
    }
    let written = SAMPLE_LOCATIONS + varint(ids.length) + ids;
    for (let at = 0; at < labels.length; at += 2) {
      const key = labels[at]!;
      const text = labels[at + 1]!;
      written += (labelHeads.get(key) ?? this.labelHead(key)) + (places.get(text) ?? this.place(text));
    }
    return written;
  }

  /** The place of a text in the table of strings, as it is written. */
  place(text: string): string {
    let place = this.places.get(text);
    if (place === undefined) this.places.set(text, (place = fixed(this.texts.push(text) - 1)));
    return place;
  }

  /** All of them, as they stand in a profile. */
  messages(): Buffer[] {
    const texts = bytesOf(textsField(PROFILE.stringTable, this.texts));
    return [...this.locations.take(), ...this.functions.take(), texts];
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
      // One without a file is made anew each time it is written.
      if (path !== '') this.byFrame.set(frame, before);
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
    if (path !== '') this.byFrame.set(frame, id);
    return id;
  }

  private file(path: string): KnownFile {
    const known: KnownFile = { end: FUNCTION_FILE + this.place(path), unnamed: new Map(), named: new Map() };
    this.files.set(path, known);
    return known;
  }
}
