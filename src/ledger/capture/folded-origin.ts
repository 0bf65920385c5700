import type { CodeLocation } from './code-locations.js';
import { type GroupOrigin, KEPT_FRAMES } from './group-origin.js';

/**
 * Folds a stack that is known from end to end to what a group is made from: a few library frames down to the first one of
 * the application, and a few more from there.
 * @param calls innermost first, without those that are hidden
 */
export function foldedOrigin(calls: Iterable<CodeLocation>): GroupOrigin {
  const libraryFrames: CodeLocation[] = [];
  const userFrames: CodeLocation[] = [];
  for (const location of calls) {
    if (userFrames.length > 0 || location.file.owner === 'user') {
      userFrames.push(location);
      if (userFrames.length >= KEPT_FRAMES.user || libraryFrames.length + userFrames.length >= KEPT_FRAMES.total) break;
    } else if (libraryFrames.length < KEPT_FRAMES.library) libraryFrames.push(location);
  }
  return { frames: [...libraryFrames, ...userFrames], site: userFrames[0] ?? null, provider: null };
}
