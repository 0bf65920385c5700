import type { ComponentType } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { FlameNode } from 'd3-flame-graph';
import { bytesText } from '../../contract/amount-text.js';
import type { HeapAnswer } from '../../contract/heap.schema.js';
import { ApiError, askJson } from '../data/api.js';
import { clock } from '../words/format.js';
import { flameTree } from '../words/flame-tree.js';
import { placeOf } from '../words/place.js';
import { ScrollTable, type TableColumn } from './scroll-table.js';

const COLUMNS: readonly TableColumn[] = [
  { title: 'Live', isNumber: true },
  { title: 'Growth', isNumber: true },
  { title: 'Function' },
];

const MAX_ROWS = 20;

function takenText({ takenAt, sampling, sampledBytes, heapUsedBytes }: HeapAnswer): string {
  if (sampling.unavailable !== null) return `The heap cannot be sampled here: ${sampling.unavailable}.`;
  return `At ${clock(takenAt)}: ${bytesText(sampledBytes)} of ${bytesText(heapUsedBytes)} were allocated since sampling began.`;
}

/** Heap by the function that allocated it. Asked for by hand: sampling costs the process something. */
export function HeapView() {
  const [heap, setHeap] = useState<HeapAnswer | null>(null);
  const [word, setWord] = useState('');
  const [Flame, setFlame] = useState<ComponentType<{ root: FlameNode }> | null>(null);
  const root = useMemo(() => heap && flameTree(heap.tree), [heap]);

  const look = async (): Promise<void> => {
    setWord('Sampling allocations…');
    try {
      const [answer, { default: loaded }] = await Promise.all([
        askJson<HeapAnswer>('diagnostics/heap'),
        import('./flame-graph.js'),
      ]);
      setHeap(answer);
      setFlame(() => loaded);
      setWord('');
    } catch (error) {
      setWord(error instanceof ApiError ? error.message : String(error));
    }
  };

  return (
    <section aria-labelledby="heap-title">
      <h2 id="heap-title">Heap, by the function that allocated it</h2>
      <p>
        <button type="button" onClick={() => void look()}>
          {heap ? 'Look again' : 'Look'}
        </button>{' '}
        <span role="status">{word || (heap ? takenText(heap) : '')}</span>
      </p>
      {heap && heap.tree.bytes === 0 && <p class="empty">Nothing sampled yet: look again in a while.</p>}
      {root && root.value > 0 && Flame && <Flame root={root} />}
      {heap && heap.sites.length > 0 && (
        <ScrollTable labelledBy="heap-title" columns={COLUMNS}>
          {heap.sites.slice(0, MAX_ROWS).map((site, index) => (
            <tr key={index}>
              <td class="number">{bytesText(site.liveBytes)}</td>
              <td class="number">{bytesText(site.growthBytesPerSecond)}/s</td>
              <td class="place">{placeOf(site)}</td>
            </tr>
          ))}
        </ScrollTable>
      )}
    </section>
  );
}
