import type { HeapNode } from '../../../src/contract/heap.schema';
import { heapTree } from '../../../src/diagnostics/heap/heap-tree';

const frame = (name: string | null, line = 1) => ({
  file: 'src/a.ts',
  line,
  column: 1,
  function: name,
  library: false,
});
const stack = (liveBytes: number, ...names: string[]) => ({
  site: null,
  stack: names.map((name) => frame(name)),
  liveBytes,
  liveCount: 1,
});
const sumsUp = ({ bytes, children }: HeapNode): boolean =>
  children.reduce((sum, child) => sum + child.bytes, 0) <= bytes && children.every(sumsUp);

describe('the tree of a flame graph', () => {
  it('merges stacks from the outermost call on', () => {
    const tree = heapTree([stack(100, 'parse', 'load', 'main'), stack(50, 'copy', 'load', 'main'), stack(7, 'other')]);
    expect(tree).toMatchObject({ name: '(all)', bytes: 157 });
    expect(tree.children.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['main', 150],
      ['other', 7],
    ]);
    const [load] = tree.children[0]!.children;
    expect(load).toMatchObject({ name: 'load', bytes: 150, file: 'src/a.ts', line: 1, library: false });
    expect(load!.children.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['parse', 100],
      ['copy', 50],
    ]);
  });

  it('tells apart what has one name in two places, and what has no place', () => {
    const tree = heapTree([
      { ...stack(1), stack: [frame('a', 1)] },
      { ...stack(2), stack: [frame('a', 2)] },
      { ...stack(4), stack: [frame(null, 3)] },
      stack(8),
    ]);
    expect(tree.children.map(({ name, line }) => [name, line])).toEqual([
      ['(runtime)', 0],
      ['(anonymous)', 3],
      ['a', 2],
      ['a', 1],
    ]);
  });

  it('keeps the heaviest of too many, and the sum of the rest', () => {
    const stacks = Array.from({ length: 5_000 }, (_, index) => stack(index + 1, `inner${index}`, `outer${index}`));
    const tree = heapTree(stacks);
    const count = (node: HeapNode): number => 1 + node.children.reduce((sum, child) => sum + count(child), 0);
    expect(count(tree)).toBeLessThanOrEqual(2_001);
    expect(tree.bytes).toBe((5_000 * 5_001) / 2);
    expect(tree.children.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(tree.bytes);
    expect(tree.children[0]!.name).toBe('(other)');
    expect(tree.children[1]!.name).toBe('outer4999');
    expect(sumsUp(tree)).toBe(true);
  });
});
