import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { HistorySample, Life } from '../../contract/recorder.schema.js';
import { bytesText } from '../../contract/amount-text.js';
import { clock } from '../words/format.js';
import { endWords } from '../words/verdict-words.js';

interface Props {
  samples: readonly HistorySample[];
  current: Life | null;
  previous: Life | undefined;
  previousSamples: readonly HistorySample[];
}

const HEIGHT = 260;
/** The previous life is drawn when it ended not longer than so before the first sample of this one. */
const PREVIOUS_WITHIN_MS = 3_600_000;

const series = [
  { label: 'Resident', color: '--c-rss', of: (sample: HistorySample) => sample.rssBytes },
  { label: 'Heap used', color: '--c-heap', of: (sample: HistorySample) => sample.heapUsedBytes },
  { label: 'External', color: '--c-external', of: (sample: HistorySample) => sample.externalBytes },
] as const;

/** So that the axis reads 64 MiB, 128 MiB and not 47.7 MiB. */
const BINARY_STEPS = Array.from({ length: 24 }, (_, power) => 2 ** (16 + power));

/** Memory over time against its limit: the previous life, a line where it ended, and this one. */
export function MemoryChart({ samples, current, previous, previousSamples }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const before = drawnBefore(samples, previousSamples);
  const drawn = useRef({ samples, before });
  drawn.current = { samples, before };
  const limit = samples.at(-1)?.limitBytes ?? null;

  useEffect(() => {
    const element = place.current!;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const build = (): void => {
      chart.current?.destroy();
      const endAt = (): number | null => drawn.current.before.at(-1)?.at ?? null;
      chart.current = new uPlot(optionsFor(element, endAt), [[], [], [], [], []], element);
      chart.current.setData(dataOf(drawn.current.samples, drawn.current.before));
    };
    build();
    // The colours of a canvas do not follow the style sheet by themselves.
    dark.addEventListener('change', build);
    const resized = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      dark.removeEventListener('change', build);
      resized.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, []);

  useEffect(() => chart.current?.setData(dataOf(samples, before)), [samples, previousSamples]);

  const last = samples.at(-1);
  return (
    <section aria-labelledby="memory-title">
      <h2 id="memory-title">Memory</h2>
      <p>
        {last
          ? `${bytesText(last.rssBytes)} resident: ${bytesText(last.heapUsedBytes)} heap in use, ${bytesText(last.externalBytes)} external, ${bytesText(last.nativeBytes)} native. ${limit === null ? 'No limit is set.' : `Limit ${bytesText(limit)}.`}`
          : 'No sample yet: the first comes within an interval of the recorder.'}
        {previous && before.length > 0 && ` ${previousSentence(previous, before)}`}
      </p>
      <div
        ref={place}
        class="chart"
        role="img"
        aria-label={`Memory of ${current?.instance ?? 'the process'} over time; the figures stand in the text above and in the history download`}
      />
    </section>
  );
}

function previousSentence({ end }: Life, before: readonly HistorySample[]): string {
  const [first, last] = [before[0]!, before.at(-1)!];
  const way = first === last ? '' : `, having grown from ${bytesText(first.rssBytes)} since ${clock(first.at)}`;
  return `The previous life, left of the dotted line, ${endWords[end] ?? end} at ${clock(last.at)} with ${bytesText(last.rssBytes)}${last.rssBytes > first.rssBytes ? way : ''}.`;
}

function drawnBefore(
  samples: readonly HistorySample[],
  previousSamples: readonly HistorySample[],
): readonly HistorySample[] {
  const firstAt = samples[0]?.at ?? Date.now();
  const earlier = previousSamples.filter(({ at }) => at < firstAt);
  const last = earlier.at(-1);
  return last === undefined || firstAt - last.at > PREVIOUS_WITHIN_MS ? [] : earlier;
}

function dataOf(samples: readonly HistorySample[], before: readonly HistorySample[]): uPlot.AlignedData {
  const gap = before.length === 0 ? [] : [null];
  const shown = [...before, ...gap, ...samples];
  const column = (of: (sample: HistorySample) => number | null): (number | null)[] =>
    shown.map((sample) => (sample === null ? null : of(sample)));
  const times = shown.map((sample) => (sample === null ? before.at(-1)!.at + 1 : sample.at) / 1_000);
  return [times, ...series.map(({ of }) => column(of)), column(({ limitBytes }) => limitBytes)];
}

/** @param endAt when the previous life ended, in ms since the epoch; null when none is drawn */
function optionsFor(element: HTMLElement, endAt: () => number | null): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: color('--ink-quiet'), grid: { stroke: color('--line') }, ticks: { stroke: color('--line') } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    series: [
      { label: 'Time', value: (_chart, value) => (value === null ? '–' : clock(value * 1_000)) },
      ...series.map(({ label, color: name }) => ({
        label,
        stroke: color(name),
        width: 1.5,
        points: { show: false },
        value: (_chart: uPlot, value: number | null) => (value === null ? '–' : bytesText(value)),
      })),
      {
        label: 'Limit',
        stroke: color('--c-limit'),
        dash: [6, 4],
        width: 1.5,
        points: { show: false },
        value: (_chart, value) => (value === null ? '–' : bytesText(value)),
      },
    ],
    axes: [
      { ...axis, values: (_chart, ticks) => ticks.map((at) => clock(at * 1_000)), space: 90 },
      {
        ...axis,
        size: 76,
        incrs: BINARY_STEPS,
        values: (_chart, ticks) => ticks.map((value) => bytesText(value).replace('.0 ', ' ')),
      },
    ],
    scales: { y: { range: (_chart, _min, max) => [0, (max || 1) * 1.08] } },
    hooks: { draw: [(drawnChart) => drawEnd(drawnChart, endAt(), color('--ink-quiet'))] },
  };
}

/** A dotted line down the chart where the previous life ended. */
function drawEnd(chart: uPlot, at: number | null, color: string): void {
  if (at === null) return;
  const { ctx, bbox } = chart;
  const x = Math.round(chart.valToPos(at / 1_000, 'x', true));
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}
