import type { KindNature } from '../counting/kind-counter.js';

/** How long those of a line lived that have ended. */
export interface LivesReading {
  readonly count: number;
  readonly medianMs: number;
  readonly p95Ms: number;
}

/** One line (all groups of one kind that were made at it), as the ledger has it now. Counts are cumulative. */
export interface GroupReading {
  /** The same at every reading. */
  readonly id: string;
  readonly kind: string;
  readonly nature: KindNature;
  /** Only the collector ends them, so that being alive proves little until it has run. */
  readonly lingers: boolean;
  /** Measured in bytes: `live`, `opened`, `ended` and `aged` are bytes. */
  readonly inBytes: boolean;
  /** File and line; null when no line of the application is known. */
  readonly place: string | null;
  /** File and function around it. */
  readonly around: string | null;
  readonly via: string | null;
  /** Alive, without those that will end by themselves at a known time which has not come. */
  readonly live: number;
  /** Alive, with those. */
  readonly held: number;
  readonly opened: number;
  readonly ended: number;
  /** Of `live`, how many are older than the gate that the detector gave for this id. */
  readonly aged: number;
  /** One standard deviation of `live`; 0 when it is exact. */
  readonly error: number;
  /** Of those that have ended; null while none has. */
  readonly lives: LivesReading | null;
  /** The same over all groups of the kind. */
  readonly kindLives: LivesReading | null;
}

/** What the whole process holds now. */
export interface ProcessReading {
  /** Least heap in use since the last reading. */
  readonly heapFloorBytes: number;
  /** Heap in use after the last full collection; null before the first. */
  readonly heapCollectedBytes: number | null;
  /** Full collections so far. */
  readonly collections: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  /** External memory after the last full collection; null before the first. */
  readonly externalCollectedBytes: number | null;
  readonly rssBytes: number;
  /** What counts against the limit of memory: in a cgroup all that cannot be reclaimed, children included. */
  readonly chargedBytes: number;
  /** Null where the system does not tell. */
  readonly openFds: number | null;
  /** Descriptors that the ledger's groups account for. */
  readonly knownFds: number;
  /** Connections that peers hold open to us. */
  readonly inbound: number;
}

/** A unit of work and how many were finished so far. */
export interface WorkReading {
  readonly unit: string;
  readonly count: number;
  /** Of several units that explain growth equally well the one with the least counts: 0 for what the application named. */
  readonly vagueness: number;
}

/** Where growth ends. Null: no such limit. */
export interface LimitsReading {
  readonly memoryBytes: number | null;
  readonly heapBytes: number | null;
  readonly fds: number | null;
}

/** All the detector is told, at one moment. */
export interface DetectorSample {
  /** Milliseconds on a clock that only goes forward. */
  readonly atMs: number;
  readonly groups: readonly GroupReading[];
  readonly process: ProcessReading;
  readonly work: readonly WorkReading[];
  readonly limits: LimitsReading;
}
