import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Function, Label, Line, Location, Mapping, Profile, Sample, StringTable, ValueType } from 'pprof-format';

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

interface KnownFunction {
  readonly id: number;
  readonly byLine: Map<number, Location>;
}

/** Writes one profile in the format of pprof (profile.proto, gzipped), function by function as they come. */
export class PprofBuilder {
  private readonly strings = new StringTable();
  private readonly samples: Sample[] = [];
  private readonly locations: Location[] = [];
  private readonly functions: Function[] = [];
  /** By file, by name. */
  private readonly known = new Map<string, Map<string, KnownFunction>>();

  constructor(private readonly settings: PprofSettings) {}

  /**
   * @param stack innermost first
   * @param values one per sample type; whole numbers, negative where something has become less
   */
  add(stack: readonly PprofFrame[], values: readonly number[], labels: Readonly<Record<string, string>> = {}): void {
    this.samples.push(
      new Sample({
        locationId: stack.map((frame) => this.location(frame).id),
        value: [...values],
        label: Object.entries(labels).map(
          ([key, text]) => new Label({ key: this.strings.dedup(key), str: this.strings.dedup(text) }),
        ),
      }),
    );
  }

  /** The file. Compressed outside the event loop. */
  async encode(): Promise<Buffer> {
    const { sampleTypes, defaultType, period, takenAt, durationMs = 0, comments = [] } = this.settings;
    const profile = new Profile({
      sampleType: sampleTypes.map((type) => this.valueType(type)),
      sample: this.samples,
      // Says that functions and lines are known, so that nobody looks for symbols in a binary.
      mapping: [
        new Mapping({
          id: MAPPING_ID,
          filename: this.strings.dedup('node'),
          hasFunctions: true,
          hasFilenames: true,
          hasLineNumbers: true,
        }),
      ],
      location: this.locations,
      function: this.functions,
      timeNanos: nanoseconds(takenAt),
      durationNanos: nanoseconds(durationMs),
      ...(period ? { periodType: this.valueType(period.type), period: period.value } : {}),
      comment: comments.map((comment) => this.strings.dedup(comment)),
      defaultSampleType: this.strings.dedup(defaultType),
      stringTable: this.strings,
    });
    // The least of work: it is taken away once, and half of its size is saved by any level.
    return gzipped(profile.encode(), { level: 1 });
  }

  private location({ name, file, line }: PprofFrame): Location {
    const { id: functionId, byLine } = this.function(name, file);
    let location = byLine.get(line);
    if (!location) {
      location = new Location({
        id: this.locations.length + 1,
        mappingId: MAPPING_ID,
        line: [new Line({ functionId, line })],
      });
      this.locations.push(location);
      byLine.set(line, location);
    }
    return location;
  }

  private function(name: string, file: string): KnownFunction {
    // Map in map: a key made of both would be a new string for every frame, and there are many thousands.
    let inFile = this.known.get(file);
    if (!inFile) this.known.set(file, (inFile = new Map()));
    let found = inFile.get(name);
    if (!found) {
      const shown = this.strings.dedup(name);
      const id = this.functions.length + 1;
      this.functions.push(new Function({ id, name: shown, systemName: shown, filename: this.strings.dedup(file) }));
      found = { id, byLine: new Map() };
      inFile.set(name, found);
    }
    return found;
  }

  private valueType([type, unit]: SampleType): ValueType {
    return new ValueType({ type: this.strings.dedup(type), unit: this.strings.dedup(unit) });
  }
}

/** Beyond 2⁵³ as soon as it is an instant. */
function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms)) * BigInt(NANOSECONDS_PER_MS);
}
