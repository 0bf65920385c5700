import type { SourceMapper, time } from '@datadog/pprof';
import { CodeLocations } from '../../ledger/capture/code-locations.js';
import { shownSite } from '../../ledger/positions/shown-place.js';
import { loadPprof, pprofFailure } from '../../ledger/pprof-addon.js';
import { theLedger } from '../../ledger/the-ledger.js';
import { HttpRefusal } from '../http/http-refusal.js';
import { namedFrame, type ProfileData, type ProfileEntry } from './profile.js';
import type { SampleType } from './pprof-builder.js';
import type { PprofFrame } from './pprof-frame.js';

type TimeProfile = ReturnType<typeof time.stop>;

/** A hundred a second, as Go does: hardly noticeable in what it measures. */
const INTERVAL_MICROS = 10_000;

const SAMPLE_TYPES: readonly SampleType[] = [
  ['samples', 'count'],
  ['cpu', 'nanoseconds'],
];

/** Keeps every position as V8 has it, column included, which the library drops otherwise: they are looked up later. */
const RAW_POSITIONS = {
  mappingInfo: (position: object) => ({ ...position, missingMapFile: true }),
} as unknown as SourceMapper;

/**
 * Processor time by function while `wait` lasts; the process works on meanwhile. When `wait` rejects, the profiler is stopped
 * and nothing is answered.
 * @throws HttpRefusal UNAVAILABLE where there is no profiler, or somebody else uses it
 */
export async function cpuProfile(wait: () => Promise<void>): Promise<ProfileData> {
  const profiler = started();
  const startedMs = performance.now();
  let profile: TimeProfile;
  try {
    await wait();
  } finally {
    profile = profiler.stop();
  }
  const durationMs = performance.now() - startedMs;
  return {
    name: 'cpu',
    sampleTypes: SAMPLE_TYPES,
    defaultType: 'cpu',
    period: { type: ['cpu', 'nanoseconds'], value: INTERVAL_MICROS * 1_000 },
    takenAt: Date.now() - durationMs,
    durationMs,
    entries: await entriesOf(profile),
  };
}

function started(): typeof time {
  let profiler: typeof time;
  try {
    profiler = loadPprof().time;
  } catch (error) {
    throw new HttpRefusal('UNAVAILABLE', pprofFailure('@datadog/pprof cannot be loaded', error));
  }
  if (profiler.isStarted()) throw new HttpRefusal('UNAVAILABLE', 'somebody else profiles this process');
  profiler.start({
    intervalMicros: INTERVAL_MICROS,
    // Needed for the processor's time, instead of the clock's.
    withContexts: true,
    collectCpuTime: true,
    sourceMapper: RAW_POSITIONS,
    columnNumbers: 'emit',
  });
  return profiler;
}

/** The samples of the library, in the positions of the sources. */
async function entriesOf(profile: TimeProfile): Promise<ProfileEntry[]> {
  const text = profile.stringTable.strings;
  const frames = await framesOf(profile);
  const at = (type: string): number =>
    profile.sampleType.findIndex((sampleType) => text[Number(sampleType.type)] === type);
  const [countAt, cpuAt] = [at('sample'), at('cpu')];
  return profile.sample
    .map(({ locationId, value }) => ({
      stack: locationId.map((id) => frames.get(Number(id))!),
      values: [Number(value[countAt]), Number(value[cpuAt])],
      labels: [],
    }))
    .filter(({ stack }) => stack[0]?.function !== '(idle)');
}

async function framesOf(profile: TimeProfile): Promise<Map<number, PprofFrame>> {
  const text = profile.stringTable.strings;
  const functions = new Map(profile.function.map((called) => [Number(called.id), called]));
  const locations = new CodeLocations();
  const found = profile.location.map(({ id, line: [line] }) => {
    const called = functions.get(Number(line!.functionId))!;
    const [name, file] = [text[Number(called.name)]!, text[Number(called.filename)]!];
    const place = file.includes('/')
      ? locations.locateText(file, Number(line!.line), Number(line!.column), name)
      : undefined;
    return { id: Number(id), name, file, line: Number(line!.line), place };
  });
  await theLedger.resolvePositions(found.flatMap(({ place }) => (place ? [place] : [])));
  const { projectRoot } = theLedger;
  return new Map(
    found.map(({ id, name, file, line, place }) => {
      if (!place || place.file.owner === 'hidden')
        return [id, file === '' ? namedFrame(name) : { function: name, file, line }];
      const shown = shownSite(place, projectRoot);
      // The library's own name for it has the line of the compiled file.
      return [id, { ...shown, function: name.startsWith('(anonymous') ? null : name }];
    }),
  );
}
