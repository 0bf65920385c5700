import { hash } from 'node:crypto';
import type { Group } from './counting/group.js';
import { relativeTo, shownOrigin } from './positions/shown-place.js';

/** Puts together what of a group stays the same and everybody is shown: its id, and its lines once they were looked up. */
export function prepareGroup(group: Group, root: string): void {
  groupId(group, root);
  if (group.shown?.isFinal !== true) group.shown = shownOrigin(group.origin, root);
}

/** The same for the same place after a restart. Computed once per group: 5 µs. */
export function groupId(group: Group, root: string): string {
  return (group.id ??= idOf(group, root));
}

function idOf({ counter, origin, via, overflow }: Group, root: string): string {
  const places = origin.frames.map(({ file, line, column }) => `${relativeTo(root, file.path)}:${line}:${column}`);
  return hash('sha1', [counter.kind, via, overflow, origin.provider, ...places].join('\n'), 'hex').slice(0, 12);
}
