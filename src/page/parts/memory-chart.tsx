import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { HistorySample, Life } from '../../contract/recorder.schema.js';
import { bytes, clock } from '../words/format.js';
import { endWords } from '../words/verdict-words.js';

interface Props {
  samples: readonly HistorySample[];
  current: Life | null;
  previous: readonly Life[];
}

const HEIGHT = 260;
/** The last word of the previous life is shown when it is not longer ago than what the chart spans, or so. */
const PREVIOUS_WITHIN_MS = 3_600_000;

const series = [
  { label: 'Resident', color: '--c-rss', of: (sample: HistorySample) => sample.rssBytes },
  { label: 'Heap used', color: '--c-heap', of: (sample: HistorySample) => sample.heapUsedBytes },
  { label: 'External', color: '--c-external', of: (sample: HistorySample) => sample.externalBytes },
] as const;

/** So that the axis reads 64 MiB, 128 MiB and not 47.7 MiB. */
const BINARY_STEPS = Array.from({ length: 24 }, (_, power) => 2 ** (16 + power));

/** Memory over time against its limit, with the end of the previous life. */
export function MemoryChart({ samples, current, previous }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const before = previousEnd(samples, previous);
  const limit = samples.at(-1)?.limitBytes ?? null;

  useEffect(() => {
    const element = place.current!;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const build = (): void => {
      chart.current?.destroy();
      chart.current = new uPlot(optionsFor(element), [[], [], [], [], []], element);
      chart.current.setData(dataOf(samples, before));
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

  useEffect(() => chart.current?.setData(dataOf(samples, before)), [samples, previous]);

  const last = samples.at(-1);
  return (
    <section aria-labelledby="memory-title">
      <h2 id="memory-title">Memory</h2>
      <p>
        {last
          ? `${bytes(last.rssBytes)} resident: ${bytes(last.heapUsedBytes)} heap in use, ${bytes(last.externalBytes)} external, ${bytes(last.nativeBytes)} native. ${limit === null ? 'No limit is set.' : `Limit ${bytes(limit)}.`}`
          : 'No sample yet: the first comes within an interval of the recorder.'}
        {before &&
          ` The previous life ${endWords[before.end] ?? before.end} at ${clock(before.at)} with ${bytes(before.rssBytes)}.`}
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

interface PreviousEnd {
  at: number;
  rssBytes: number;
  end: string;
}

function previousEnd(samples: readonly HistorySample[], previous: readonly Life[]): PreviousEnd | null {
  const life = previous[0];
  if (!life?.lastSample) return null;
  const firstAt = samples[0]?.at ?? Date.now();
  if (firstAt - life.lastSample.at > PREVIOUS_WITHIN_MS) return null;
  return { at: life.lastSample.at, rssBytes: life.lastSample.rssBytes, end: life.end };
}

function dataOf(samples: readonly HistorySample[], before: PreviousEnd | null): uPlot.AlignedData {
  // History may reach into the previous life: a gap is left where it ended.
  const times: number[] = [];
  const columns: (number | null)[][] = [[], [], []];
  const limits: (number | null)[] = [];
  if (before && (samples[0]?.at ?? Infinity) > before.at) {
    times.push(before.at / 1_000, before.at / 1_000 + 0.001);
    columns[0]!.push(before.rssBytes, null);
    columns[1]!.push(null, null);
    columns[2]!.push(null, null);
    limits.push(null, null);
  }
  for (const sample of samples) {
    times.push(sample.at / 1_000);
    for (const [index, { of }] of series.entries()) columns[index]!.push(of(sample));
    limits.push(sample.limitBytes);
  }
  return [times, columns[0]!, columns[1]!, columns[2]!, limits];
}

function optionsFor(element: HTMLElement): uPlot.Options {
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
        value: (_chart: uPlot, value: number | null) => (value === null ? '–' : bytes(value)),
      })),
      {
        label: 'Limit',
        stroke: color('--c-limit'),
        dash: [6, 4],
        width: 1.5,
        points: { show: false },
        value: (_chart, value) => (value === null ? '–' : bytes(value)),
      },
    ],
    axes: [
      { ...axis, values: (_chart, ticks) => ticks.map((at) => clock(at * 1_000)), space: 90 },
      { ...axis, size: 76, incrs: BINARY_STEPS, values: (_chart, ticks) => ticks.map(bytes) },
    ],
    scales: { y: { range: (_chart, _min, max) => [0, (max || 1) * 1.08] } },
  };
}
