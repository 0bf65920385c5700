import type { CodeLocation, CodeLocations } from '../capture/code-locations.js';
import { foldedOrigin } from '../capture/folded-origin.js';
import type { GroupOrigin } from '../capture/group-origin.js';
import type { AllocationNode } from './v8-heap-profiler.js';

/** What is alive of what was allocated at the end of one way of calls. */
export interface AllocationStack {
  readonly origin: GroupOrigin;
  /** The function it is charged to: the site's number, the innermost library function's, or `RUNTIME`. */
  readonly siteNumber: number;
  bytes: number;
  count: number;
}

/** Neither the application nor a library was on the stack, or the tables are full. */
const RUNTIME = -1;

/** Stacks that are kept between two reads. */
const MAX_KEPT = 4_096;

interface Call {
  readonly location: CodeLocation | null;
  readonly caller: Call | null;
}

/** Reduces V8's tree to stacks of functions: natives and Node's own are charged to whoever called them. */
export function allocationStacks(root: AllocationNode, locations: CodeLocations): AllocationStack[] {
  const stacks = new Map<string, AllocationStack>();
  const pending: [AllocationNode, Call | null][] = [[root, null]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [node, caller] = next;
    const call = { location: locationOf(node, locations), caller };
    if (node.allocations.length > 0) add(stacks, node, call);
    for (const child of node.children) pending.push([child, call]);
  }
  return [...stacks.values()];
}

/** The heaviest stacks, most bytes first; the rest of a very large heap is one without a place. */
export function heaviestStacks(stacks: AllocationStack[]): AllocationStack[] {
  stacks.sort((a, b) => b.bytes - a.bytes);
  const rest = stacks.splice(MAX_KEPT);
  if (rest.length === 0) return stacks;
  const sum = (field: 'bytes' | 'count') => rest.reduce((total, stack) => total + stack[field], 0);
  const nowhere: GroupOrigin = { frames: [], site: null, provider: null };
  return [...stacks, { origin: nowhere, siteNumber: RUNTIME, bytes: sum('bytes'), count: sum('count') }];
}

function add(stacks: Map<string, AllocationStack>, node: AllocationNode, call: Call): void {
  const origin = foldedOrigin(callsFrom(call));
  const key = origin.frames.map(({ number }) => number).join();
  let stack = stacks.get(key);
  if (!stack) {
    const siteNumber = (origin.site ?? origin.frames[0])?.number ?? RUNTIME;
    stacks.set(key, (stack = { origin, siteNumber, bytes: 0, count: 0 }));
  }
  for (const { sizeBytes, count } of node.allocations) {
    stack.bytes += sizeBytes * count;
    stack.count += count;
  }
}

function* callsFrom(innermost: Call): Generator<CodeLocation> {
  for (let call: Call | null = innermost; call; call = call.caller) {
    if (call.location) yield call.location;
  }
}

/** Null for what has no place in a file: natives, the root, the collector. */
function locationOf(node: AllocationNode, locations: CodeLocations): CodeLocation | null {
  if (node.scriptName === '' || node.scriptName.startsWith('node:')) return null;
  const { scriptName, lineNumber = 0, columnNumber = 0, name } = node;
  const location = locations.locateText(scriptName, lineNumber, columnNumber, name || null);
  return location && location.file.owner !== 'hidden' ? location : null;
}
