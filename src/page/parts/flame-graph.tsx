import { bytesText } from '../../contract/amount-text.js';
import { select } from 'd3-selection';
import flamegraph, { type FlameNode } from 'd3-flame-graph';
import { useEffect, useRef } from 'preact/hooks';

/** A loaded file of its own: only who asks for it waits for d3. */
export default function FlameGraph({ root }: { root: FlameNode }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current!;
    const chart = flamegraph()
      .width(Math.max(320, element.clientWidth))
      .cellHeight(20)
      .minFrameSize(2)
      .transitionDuration(matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 250)
      .inverted(true)
      .tooltip(false)
      .label(({ data }) => `${data.name}: ${bytesText(data.value)}`);
    select<HTMLElement, unknown>(element).datum(root).call(chart);
    return () => {
      chart.destroy();
      element.textContent = '';
    };
  }, [root]);
  return (
    <div
      ref={place}
      class="flame"
      role="img"
      aria-label="Heap by the way to the function that allocated it; the table below has the same figures"
    />
  );
}
