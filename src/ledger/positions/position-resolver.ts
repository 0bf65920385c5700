import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findSourceMap } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { CodeLocation } from '../capture/code-locations.js';
import type { UnresolvedPlaces } from './unresolved-places.js';
import {
  originalPlaces,
  originalPlacesOfSmall,
  type OriginalPlace,
  type PositionRequest,
} from './original-positions.js';

// Taken before the ledger wraps it: its own timer is not to be counted.
const { setTimeout, clearTimeout } = globalThis;

/** Code and maps up to here are read in place, so many files for one question: a worker takes 40 ms to start. */
const SMALL = { bytes: 32 * 1_024, filesCount: 16 };
/** Files read before somebody asks, at each look ahead: half a millisecond each until it is compiled. */
const AHEAD_FILES_COUNT = 4;
/** How long a worker may take to read the maps before positions stay as the running code has them. */
const DEADLINE_MS = 20_000;
const WORKER_FILE = join(__dirname, 'original-positions.worker.js');
/** Marks a worker of the ledger, in which no ledger is to be started. */
const LEDGER_WORKER = 'mu-commander-ledger-worker';

/**
 * Finds the lines of the source an application was compiled from, once per location. Never at capture: small files a few at a
 * time afterwards, so that the first to ask need not wait for them; all else when somebody asks, outside the heap of the service.
 */
export class PositionResolver {
  private running: Promise<void> = Promise.resolve();

  /**
   * @param quietly runs work of the ledger's own without counting it
   */
  constructor(private readonly quietly: <T>(work: () => T) => T) {}

  /** Fills in `original` of every location that has none yet. Never rejects. */
  resolve(locations: readonly CodeLocation[]): Promise<void> {
    // One worker at a time, whoever asks.
    this.running = this.running.then(() => this.resolveNow(locations)).catch(() => undefined);
    return this.running;
  }

  /** Reads what waits in a few small files, in place. Leaves large ones to whoever asks. */
  lookAhead(places: UnresolvedPlaces): void {
    for (let leftCount = AHEAD_FILES_COUNT; leftCount > 0;) {
      const locations = places.takeFile();
      if (locations === undefined) return;
      for (const [path, list] of inMaps(locations)) {
        leftCount--;
        const found = originalPlacesOfSmall(requestOf(path, list), SMALL.bytes);
        if (found) fillIn(list, found);
        else places.leave(list);
      }
    }
  }

  private async resolveNow(locations: readonly CodeLocation[]): Promise<void> {
    const asked = inMaps(locations);
    if (asked.size === 0) return;
    const large: PositionRequest[] = [];
    let leftCount = SMALL.filesCount;
    for (const [path, list] of asked) {
      const request = requestOf(path, list);
      const places = leftCount-- > 0 ? originalPlacesOfSmall(request, SMALL.bytes) : undefined;
      if (places) fillIn(list, places);
      else large.push(request);
    }
    if (large.length === 0) return;
    const places = await this.ask(large);
    large.forEach(({ path }, file) => fillIn(asked.get(path) ?? [], places[file]));
  }

  private ask(requests: PositionRequest[]): Promise<OriginalPlace[][]> {
    // Run from TypeScript sources there is no compiled worker to start.
    if (!existsSync(WORKER_FILE)) return Promise.resolve(requests.map((request) => originalPlaces(request)));
    return new Promise((settle) => {
      const worker = this.quietly(
        () =>
          new Worker(WORKER_FILE, {
            workerData: { requests },
            name: LEDGER_WORKER,
            // Nothing the application preloads belongs into it.
            execArgv: [],
            env: { MU_LEDGER: 'off' },
            resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 },
          }),
      );
      const done = (places: OriginalPlace[][]): void => {
        clearTimeout(deadline);
        settle(places);
        void worker.terminate();
      };
      const deadline = setTimeout(() => done([]), DEADLINE_MS);
      deadline.unref();
      worker.unref();
      worker.once('message', done);
      worker.once('error', () => done([]));
      worker.once('exit', () => done([]));
    });
  }
}

/** Those that only a map on disk may know, by file of the running code. The others are settled here. */
function inMaps(locations: readonly CodeLocation[]): Map<string, CodeLocation[]> {
  const asked = new Map<string, CodeLocation[]>();
  for (const location of locations) {
    if (location.original !== undefined) continue;
    if (location.file.owner !== 'user' || fromLoadedMap(location) || !/\.[cm]?js$/.test(location.file.path)) {
      location.original ??= null;
      continue;
    }
    const list = asked.get(location.file.path);
    if (list) list.push(location);
    else asked.set(location.file.path, [location]);
  }
  return asked;
}

function requestOf(path: string, list: readonly CodeLocation[]): PositionRequest {
  return { path, positions: list.map(({ line, column }) => ({ line, column })) };
}

function fillIn(list: readonly CodeLocation[], places: readonly OriginalPlace[] | undefined): void {
  list.forEach((location, index) => {
    location.original = places?.[index] ?? null;
  });
}

/** When Node itself keeps source maps (`--enable-source-maps`), the answer is there already. */
function fromLoadedMap(location: CodeLocation): boolean {
  if (process.sourceMapsEnabled !== true) return false;
  const entry = findSourceMap(location.file.path)?.findEntry(location.line - 1, location.column - 1);
  if (!entry || !('originalLine' in entry)) return false;
  location.original = {
    path: entry.originalSource.replace(/^file:\/\//, ''),
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
  };
  return true;
}
