import type { LedgerSite } from '../../ledger/index.js';
import type { PprofFrame, PprofSettings } from './pprof-builder.js';

/** What is alive, or was spent, at the end of one way of calls. */
export interface ProfileEntry {
  /** Innermost first. */
  readonly stack: readonly PprofFrame[];
  /** One per sample type, whole. */
  readonly values: readonly number[];
  /** What pprof can filter and group by. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A profile before it is written, in pprof's format or as text. */
export interface ProfileData extends PprofSettings {
  /** `handles`, `heap`, `cpu`. */
  readonly name: string;
  readonly entries: readonly ProfileEntry[];
}

/** A frame of the ledger as one of pprof's. */
export function pprofFrame({ function: name, file, line }: LedgerSite): PprofFrame {
  // Without a name it would be one with every other of its kind.
  return { name: name ?? `(anonymous ${file}:${line})`, file, line };
}

/** A frame for what has a name and no place. */
export function namedFrame(name: string): PprofFrame {
  return { name, file: '', line: 0 };
}
