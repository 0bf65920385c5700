import { bytesText, countText, durationText } from '../../contract/amount-text.js';
import type { LedgerGroups } from '../../contract/ledger.schema.js';
import type { HistorySample } from '../../contract/recorder.schema.js';
import { change } from '../words/format.js';
import { Sparkline } from './sparkline.js';
import { ScrollTable, type TableColumn } from './scroll-table.js';

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
  const columns: readonly TableColumn[] = [
    { title: 'Kind' },
    { title: 'Live', isNumber: true },
    { title: spanMs > 0 ? `In ${durationText(spanMs)}` : 'Change', isNumber: true },
    { title: 'Shape' },
    { title: 'Made', isNumber: true },
    { title: 'Dropped open', isNumber: true },
  ];
  return (
    <section aria-labelledby="kinds-title">
      <h2 id="kinds-title">Alive, by kind</h2>
      <ScrollTable labelledBy="kinds-title" columns={columns}>
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
                {countText(live)}
                {liveBytes === undefined ? '' : ` (${bytesText(liveBytes)})`}
              </td>
              <td class="number">{series.length > 0 ? change(live - series[0]!) : '–'}</td>
              <td>
                <Sparkline values={[...series, live]} />
              </td>
              <td class="number">{countText(created)}</td>
              <td class="number">{countText(collectedOpen)}</td>
            </tr>
          );
        })}
      </ScrollTable>
    </section>
  );
}
