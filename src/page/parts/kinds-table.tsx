import type { LedgerGroups } from '../../contract/ledger.schema.js';
import type { HistorySample } from '../../contract/recorder.schema.js';
import { bytes, change, count, duration } from '../words/format.js';
import { Sparkline } from './sparkline.js';

interface Props {
  groups: LedgerGroups | null;
  samples: readonly HistorySample[];
  chosen: string | null;
  onChoose: (kind: string | null) => void;
}

/** Samples of the sparklines: half an hour at the usual interval. */
const SPARK_SAMPLES = 180;

/** What is alive, by kind, and how that went. A click shows the places of one kind. */
export function KindsTable({ groups, samples, chosen, onChoose }: Props) {
  const shown = samples.slice(-SPARK_SAMPLES);
  const spanMs = shown.length > 1 ? shown.at(-1)!.at - shown[0]!.at : 0;
  const kinds = groups?.kinds.filter(({ live, created }) => live > 0 || created > 0) ?? [];
  return (
    <section aria-labelledby="kinds-title">
      <h2 id="kinds-title">Alive, by kind</h2>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="kinds-title">
        <table>
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col" class="number">
                Live
              </th>
              <th scope="col" class="number">
                {spanMs > 0 ? `In ${duration(spanMs)}` : 'Change'}
              </th>
              <th scope="col">Shape</th>
              <th scope="col" class="number">
                Made
              </th>
              <th scope="col" class="number">
                Dropped open
              </th>
            </tr>
          </thead>
          <tbody>
            {kinds.map(({ kind, live, liveBytes, created, collectedOpen, exact }) => {
              const series = shown.map((sample) => sample.kinds[kind] ?? 0);
              return (
                <tr key={kind} class={kind === chosen ? 'chosen' : ''}>
                  <th scope="row">
                    <button
                      type="button"
                      class="link"
                      aria-pressed={kind === chosen}
                      onClick={() => onChoose(kind === chosen ? null : kind)}
                    >
                      {kind}
                    </button>
                  </th>
                  <td class="number" data-kind-live={kind}>
                    {exact ? '' : '≈'}
                    {count(live)}
                    {liveBytes === undefined ? '' : ` (${bytes(liveBytes)})`}
                  </td>
                  <td class="number">{series.length > 0 ? change(live - series[0]!) : '–'}</td>
                  <td>
                    <Sparkline values={[...series, live]} />
                  </td>
                  <td class="number">{count(created)}</td>
                  <td class="number">{count(collectedOpen)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
