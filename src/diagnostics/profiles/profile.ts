import type { PprofSettings } from './pprof-builder.js';
import type { PprofFrame } from './pprof-frame.js';

/** What is alive, or was spent, at the end of one way of calls. */
export interface ProfileEntry {
  /** Innermost first. */
  readonly stack: readonly PprofFrame[];
  /** One per sample type, whole. */
  readonly values: readonly number[];
  /** What pprof can filter and group by: of each its key, then its text. */
  readonly labels: readonly string[];
}

/** A profile before it is written, in pprof's format or as text. */
export interface ProfileData extends PprofSettings {
  /** `handles`, `heap`, `cpu`. */
  readonly name: string;
  readonly entries: readonly ProfileEntry[];
}

/** A frame for what has a name and no place. */
export function namedFrame(name: string): PprofFrame {
  return { function: name, file: '', line: 0 };
}
