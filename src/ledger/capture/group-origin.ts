import type { CodeLocation } from './code-locations.js';

/** What a group is made from: the way to the line that creates its resources. */
export interface GroupOrigin {
  /** Innermost first, library frames included, at most 8. */
  readonly frames: readonly CodeLocation[];
  /** The first frame of the application, or null when none was on the stack. */
  readonly site: CodeLocation | null;
  /** The Nest provider and module under construction, when the injector stood between the resource and the application. */
  readonly provider: string | null;
}

/** How much of a stack is kept. */
export const KEPT_FRAMES = {
  total: 8,
  /** Of libraries, before the first one of the application. */
  library: 4,
  /** From the first one of the application on, so that two ways to one line stay apart. */
  user: 4,
} as const;
