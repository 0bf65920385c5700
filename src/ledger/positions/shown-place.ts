import { relative, sep } from 'node:path';
import type { CodeLocation } from '../capture/code-locations.js';
import type { GroupOrigin } from '../capture/group-origin.js';
import type { LedgerFrame, LedgerSite } from '../ledger-snapshot.js';

/** Where a group comes from, as it is shown. Frozen: whoever looks gets the same. */
export interface ShownOrigin {
  readonly site: LedgerSite | null;
  /** Innermost first. */
  readonly stack: LedgerFrame[];
  /** The lines of all of it were looked up, so that it stays as it is. */
  readonly isFinal: boolean;
}

export function shownOrigin(origin: GroupOrigin, root: string): ShownOrigin {
  const site = siteOf(origin);
  let isFinal = true;
  const stack: LedgerFrame[] = [];
  for (const location of origin.frames) {
    if (location.original === undefined) isFinal = false;
    stack.push(shownPlace(location, root).frame);
  }
  Object.freeze(stack);
  return { site: site && shownSite(site, root), stack, isFinal };
}

/** A location as the place that is blamed: in its source where that is known, relative to the project. Put together once, and frozen. */
export function shownSite(location: CodeLocation, root: string): LedgerSite {
  return shownPlace(location, root).site;
}

function shownPlace(location: CodeLocation, root: string): NonNullable<CodeLocation['shown']> {
  const { original, file, functionName, shown } = location;
  if (shown !== undefined && shown.original === original) return shown;
  const { path, line, column } = original ?? { ...location, path: file.path };
  const place = { file: relativeTo(root, path), line, column, function: functionName };
  return (location.shown = {
    frame: Object.freeze({ ...place, library: file.owner === 'library' }),
    site: Object.freeze(place),
    original,
  });
}

/** What was compiled into the application's own bundle from a library is still the library's. */
function siteOf({ site, frames }: GroupOrigin): CodeLocation | null {
  if (!site?.original?.path.includes(`${sep}node_modules${sep}`)) return site;
  const own = frames.find(
    ({ file, original }) => file.owner === 'user' && !original?.path.includes(`${sep}node_modules${sep}`),
  );
  return own ?? site;
}

/** Thousands of lines are in a few files, and a path is costlier to shorten than all else about a line. */
const MAX_SHORTENED = 4_096;
const shortened = new Map<string, string>();
let shortenedTo = '';

export function relativeTo(root: string, path: string): string {
  if (root !== shortenedTo || shortened.size >= MAX_SHORTENED) {
    shortened.clear();
    shortenedTo = root;
  }
  let shown = shortened.get(path);
  if (shown === undefined) {
    const short = relative(root, path);
    // Outside the project an absolute path says more than a row of dots.
    shown = short.startsWith(`..${sep}..${sep}..`) ? path : short;
    shortened.set(path, shown);
  }
  return shown;
}
