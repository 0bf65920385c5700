import { gunzipSync } from 'node:zlib';
import { parse } from 'protobufjs';

/** The messages of pprof, written down from its public description: whoever encodes them, this is not it. */
const profileType = parse(`
  syntax = "proto3";
  message ValueType { int64 type = 1; int64 unit = 2; }
  message Label { int64 key = 1; int64 str = 2; int64 num = 3; int64 num_unit = 4; }
  message Sample { repeated uint64 location_id = 1; repeated int64 value = 2; repeated Label label = 3; }
  message Mapping {
    uint64 id = 1; uint64 memory_start = 2; uint64 memory_limit = 3; uint64 file_offset = 4; int64 filename = 5;
    int64 build_id = 6; bool has_functions = 7; bool has_filenames = 8; bool has_line_numbers = 9; bool has_inline_frames = 10;
  }
  message Line { uint64 function_id = 1; int64 line = 2; int64 column = 3; }
  message Location { uint64 id = 1; uint64 mapping_id = 2; uint64 address = 3; repeated Line line = 4; bool is_folded = 5; }
  message Function { uint64 id = 1; int64 name = 2; int64 system_name = 3; int64 filename = 4; int64 start_line = 5; }
  message Profile {
    repeated ValueType sample_type = 1; repeated Sample sample = 2; repeated Mapping mapping = 3; repeated Location location = 4;
    repeated Function function = 5; repeated string string_table = 6; int64 drop_frames = 7; int64 keep_frames = 8;
    int64 time_nanos = 9; int64 duration_nanos = 10; ValueType period_type = 11; int64 period = 12; repeated int64 comment = 13;
    int64 default_sample_type = 14; int64 doc_url = 15;
  }
`).root.lookupType('Profile');

interface Raw {
  sampleType: { type: number; unit: number }[];
  sample: { locationId: number[]; value: number[]; label: { key: number; str: number }[] }[];
  mapping: { id: number; hasFunctions: boolean }[];
  location: { id: number; mappingId: number; line: { functionId: number; line: number }[] }[];
  function: { id: number; name: number; filename: number }[];
  stringTable: string[];
  timeNanos: number;
  durationNanos: number;
  periodType: { type: number; unit: number } | null;
  period: number;
  comment: number[];
  defaultSampleType: number;
}

export interface DecodedSample {
  stack: { name: string; file: string; line: number }[];
  /** By sample type. */
  values: Record<string, number>;
  labels: Record<string, string>;
}

export interface DecodedProfile {
  /** `live/count`, in their order. */
  sampleTypes: string[];
  defaultType: string;
  period: string;
  timeMs: number;
  durationMs: number;
  comments: string[];
  samples: DecodedSample[];
}

/** Reads a profile as it came over HTTP. Fails on whatever pprof's own check of validity would fail on. */
export function decodedProfile(bytes: Buffer): DecodedProfile {
  const message = profileType.decode(gunzipSync(bytes));
  const raw = profileType.toObject(message, { longs: Number, defaults: true, arrays: true }) as Raw;
  const { stringTable } = raw;
  if (stringTable[0] !== '') throw new Error('the first string is not the empty one');
  const text = (index: number): string => {
    if (!(index in stringTable)) throw new Error(`no string ${index}`);
    return stringTable[index]!;
  };
  const mappings = byId(raw.mapping);
  const functions = byId(raw.function);
  const locations = byId(raw.location);
  const sampleTypes = raw.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`);
  if (sampleTypes.length === 0) throw new Error('no sample type');
  const frameOf = (id: number) => {
    const location = found(locations, id);
    found(mappings, location.mappingId);
    const [line] = location.line;
    const called = found(functions, line!.functionId);
    return { name: text(called.name), file: text(called.filename), line: line!.line };
  };
  const samples = raw.sample.map(({ locationId, value, label }) => {
    if (value.length !== sampleTypes.length) throw new Error(`${value.length} values for ${sampleTypes.length} types`);
    return {
      stack: locationId.map(frameOf),
      values: Object.fromEntries(value.map((figure, index) => [sampleTypes[index]!.split('/')[0]!, figure])),
      labels: Object.fromEntries(label.map(({ key, str }) => [text(key), text(str)])),
    };
  });
  return {
    sampleTypes,
    defaultType: text(raw.defaultSampleType),
    period: raw.periodType ? `${raw.period} ${text(raw.periodType.type)}/${text(raw.periodType.unit)}` : '',
    timeMs: raw.timeNanos / 1e6,
    durationMs: raw.durationNanos / 1e6,
    comments: raw.comment.map(text),
    samples,
  };
}

function byId<T extends { id: number }>(list: T[]): Map<number, T> {
  const map = new Map(list.map((item) => [item.id, item]));
  if (map.size !== list.length || map.has(0)) throw new Error('an id is 0, or there twice');
  return map;
}

function found<T>(map: Map<number, T>, id: number): T {
  const item = map.get(id);
  if (item === undefined) throw new Error(`nothing has the id ${id}`);
  return item;
}
