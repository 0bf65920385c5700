/** The package has no types; this is what the page uses of it. */
declare module 'd3-flame-graph' {
  import type { Selection } from 'd3-selection';

  export interface FlameNode {
    name: string;
    value: number;
    children: FlameNode[];
  }

  interface Entry {
    data: FlameNode;
  }

  interface FlameGraph {
    (selection: Selection<HTMLElement, FlameNode, null, undefined>): void;
    width(px: number): this;
    cellHeight(px: number): this;
    minFrameSize(px: number): this;
    transitionDuration(ms: number): this;
    inverted(on: boolean): this;
    label(text: (entry: Entry) => string): this;
    tooltip(on: boolean): this;
    setColorMapper(color: (entry: Entry, fallback: string) => string): this;
    destroy(): void;
  }

  export default function flamegraph(): FlameGraph;
}
