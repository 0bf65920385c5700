import type { ComponentType } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { FlameNode } from 'd3-flame-graph';
import type { HeapAnswer } from '../../contract/heap.schema.js';
import { ApiError, askJson } from '../data/api.js';
import { bytes, clock } from '../words/format.js';
import { flameTree } from '../words/flame-tree.js';
import { placeOf } from '../words/place.js';

const MAX_ROWS = 20;

function takenText({ takenAt, sampling, sampledBytes, heapUsedBytes }: HeapAnswer): string {
  if (sampling.unavailable !== null) return `The heap cannot be sampled here: ${sampling.unavailable}.`;
  return `At ${clock(takenAt)}: ${bytes(sampledBytes)} of ${bytes(heapUsedBytes)} were allocated since sampling began.`;
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
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="heap-title">
          <table>
            <thead>
              <tr>
                <th scope="col" class="number">
                  Live
                </th>
                <th scope="col" class="number">
                  Growth
                </th>
                <th scope="col">Function</th>
              </tr>
            </thead>
            <tbody>
              {heap.sites.slice(0, MAX_ROWS).map((site, index) => (
                <tr key={index}>
                  <td class="number">{bytes(site.liveBytes)}</td>
                  <td class="number">{bytes(site.growthBytesPerSecond)}/s</td>
                  <td class="place">{placeOf(site)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
