import type { HeapNode } from '../../contract/heap.schema.js';
import type { HeapStack, LedgerFrame } from '../../ledger/index.js';

/** A page draws so many; what is beyond stands in one node. */
const MAX_NODES = 2_000;

/** Merges stacks into the tree of a flame graph: outermost call first, heaviest child first. */
export function heapTree(stacks: readonly HeapStack[]): HeapNode {
  const root = node('(all)');
  const others = node('(other)');
  let nodesCount = 1;
  // Heaviest first, so that what does not fit is the least of it.
  for (const { stack, liveBytes } of [...stacks].sort((a, b) => b.liveBytes - a.liveBytes)) {
    root.bytes += liveBytes;
    if (nodesCount + stack.length > MAX_NODES) {
      others.bytes += liveBytes;
      continue;
    }
    if (stack.length === 0) {
      nodesCount += add(root, node('(runtime)'), liveBytes).added;
      continue;
    }
    let at = root;
    for (const frame of [...stack].reverse()) {
      const { child, added } = add(at, nodeOf(frame), liveBytes);
      nodesCount += added;
      at = child;
    }
  }
  if (others.bytes > 0) root.children.push(others);
  sort(root);
  return root;
}

function add(parent: HeapNode, wanted: HeapNode, bytes: number): { child: HeapNode; added: number } {
  const known = parent.children.find(
    ({ name, file, line }) => name === wanted.name && file === wanted.file && line === wanted.line,
  );
  const child = known ?? wanted;
  child.bytes += bytes;
  if (!known) parent.children.push(child);
  return { child, added: known ? 0 : 1 };
}

function nodeOf({ function: name, file, line, library }: LedgerFrame): HeapNode {
  return { name: name ?? '(anonymous)', file, line, library, bytes: 0, children: [] };
}

function node(name: string): HeapNode {
  return { name, file: '', line: 0, library: false, bytes: 0, children: [] };
}

function sort({ children }: HeapNode): void {
  children.sort((a, b) => b.bytes - a.bytes);
  for (const child of children) sort(child);
}
