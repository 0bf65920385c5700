import type { FlameNode } from 'd3-flame-graph';
import type { HeapNode } from '../../contract/heap.schema.js';

/** The tree of the answer as the flame graph wants it. */
export function flameTree({ name, file, line, bytes, children }: HeapNode): FlameNode {
  return {
    name: file === '' ? name : `${name} ${file}:${line}`,
    value: bytes,
    children: children.map(flameTree),
  };
}
