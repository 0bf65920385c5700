import type { Ground } from './evidence.js';
import type { State } from './verdict-state.js';

export type Subject = 'group' | 'heap' | 'external' | 'native' | 'fds';

/** A limit and when it is met, in milliseconds from now. */
export interface FindingLimit {
  readonly name: string;
  readonly bytes?: number;
  readonly count?: number;
  readonly etaMs: number | null;
  readonly etaLowMs: number | null;
  readonly etaHighMs: number | null;
}

/** What the detector holds of one subject at one moment. */
export interface Finding {
  /** Of the group, or the name of the subject. */
  readonly id: string;
  readonly subject: Subject;
  readonly kind: string;
  readonly state: State;
  readonly via: string | null;
  /** Items; for subjects measured in bytes see `liveBytes`. */
  readonly live: number;
  readonly liveBytes?: number;
  /** Items or bytes. */
  readonly ratePerSecond: number;
  readonly perWork?: { readonly unit: string; readonly factor: number };
  /** How long the state has stood. */
  readonly sinceMs: number;
  /** 0 … 1. */
  readonly confidence: number;
  readonly ground: Ground | null;
  /** One per gate that decided. */
  readonly reasons: readonly string[];
  readonly limit?: FindingLimit;
  /** Growth that is not the application's: memory the allocator keeps. */
  readonly cause?: 'allocator';
  /** Id of the finding that explains this one. */
  readonly partOf?: string;
}
