/** One call on the way to a resource. */
export interface LedgerFrame {
  /** Relative to the project's root, in the source it was compiled from when that is known. */
  file: string;
  /** 1-based. */
  line: number;
  /** 1-based. */
  column: number;
  function: string | null;
  /** In node_modules. */
  library: boolean;
}

export type LedgerSite = Omit<LedgerFrame, 'library'>;

/** What is counted of the resources of one kind that were made at one place. */
export interface LedgerCount {
  /** The same for the same place after a restart, as long as the lines do not move. */
  id: string;
  kind: string;
  live: number;
  /** For kinds measured in bytes. */
  liveBytes?: number;
  created: number;
  closed: number;
  /** Collected while still open: dropped without a close. */
  collectedOpen: number;
  peak: number;
  /** False: `live` is an estimate. */
  exact: boolean;
  /** One standard deviation of `live`; 0 when exact. */
  error: number;
  /** The first line of the application; null when there was none on the stack. */
  site: LedgerSite | null;
  /** The Nest provider and module that was being built, when no line of the application was. */
  provider?: string;
  /** Kind of the resource that opened these, under whose line they stand. */
  via?: string;
  /** `(other)`: what did not fit the bounds; `(unknown)`: made before the ledger started. */
  overflow?: string;
  /** Innermost first. Frozen, as each of them is: the same for whoever asks. */
  stack: LedgerFrame[];
  /** Growth of `live` per second over the last 30 to 60 seconds; negative when shrinking. */
  ratePerSecond: number;
}

/** Resources of one kind made at one place: what is counted of them, and what is known of their lives. */
export interface LedgerGroup extends LedgerCount {
  /** Of what is alive; null when nothing watched is. */
  ageMs: { mean: number; oldest: number } | null;
  /** Of what has closed (32 drawn at random); null while nothing has. */
  lifetimeMs: { median: number; p95: number } | null;
}

/** Totals of one kind. */
export interface LedgerKind {
  kind: string;
  live: number;
  liveBytes?: number;
  created: number;
  closed: number;
  collectedOpen: number;
  peak: number;
  /** False: `live`, `closed` and `peak` are estimates (`created` never is). */
  exact: boolean;
  groupsCount: number;
}

/** What the ledger is, costs and could not do. */
export interface LedgerStatus {
  running: boolean;
  /** Milliseconds since the epoch. */
  startedAt: number | null;
  /** Milliseconds the process had run before the ledger started: what was opened in them it does not know. */
  startedLateMs: number;
  /** CPU of its own since it started, by its own measure. */
  costMs: { capture: number; tick: number };
  /** Share of one core in the last 5 s. */
  costShare: number;
  capturesCount: number;
  /** Stacks per second and kind it allows itself now. */
  capturesPerSecond: number;
  /** Estimate from what its tables hold. */
  memoryBytes: number;
  groupsCount: number;
  samplesCount: number;
  locationsCount: number;
  /** Failures inside its own hooks; none of them reached the application. */
  failuresCount: number;
  lastFailure: string | null;
  /** Functions it could not hook. */
  unhooked: string[];
}

/** Without what has to be read from each resource that is watched. */
export interface LedgerCounts {
  /** Milliseconds since the epoch. */
  takenAt: number;
  ledger: LedgerStatus;
  kinds: LedgerKind[];
  /** Most alive first. */
  groups: LedgerCount[];
}

export interface LedgerSnapshot extends LedgerCounts {
  groups: LedgerGroup[];
}
