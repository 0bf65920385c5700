import { bytesText, countText, durationText, rateText } from '../../contract/amount-text.js';
import type { LedgerGroups } from '../../contract/ledger.schema.js';
import { placeOf } from '../words/place.js';
import { ScrollTable, type TableColumn } from './scroll-table.js';

const COLUMNS: readonly TableColumn[] = [
  { title: 'Live', isNumber: true },
  { title: 'Growth', isNumber: true },
  { title: 'Kind' },
  { title: 'Made at' },
  { title: 'Oldest', isNumber: true },
];

interface Props {
  groups: LedgerGroups | null;
  kind: string | null;
  onOpen: (groupId: string) => void;
  onAll: () => void;
}

/** Shown at once; more are a click on their kind away. */
const MAX_ROWS = 50;

/** A first one, or a few more, is no growth that the eye should be drawn to. */
const isGrowth = ({ ratePerSecond, live }: LedgerGroups['groups'][number]): boolean => ratePerSecond > 0 && live >= 10;
const growth = (group: LedgerGroups['groups'][number]): number => (isGrowth(group) ? group.ratePerSecond : 0);

/** What is alive, by the line that made it: fastest growing first, then most alive. */
export function GroupsTable({ groups, kind, onOpen, onAll }: Props) {
  const matching = (groups?.groups ?? [])
    .filter((group) => kind === null || group.kind === kind)
    .toSorted((a, b) => growth(b) - growth(a) || b.live - a.live);
  const rows = matching.slice(0, MAX_ROWS);
  return (
    <section aria-labelledby="groups-title">
      <h2 id="groups-title">
        Made where{kind !== null && `: ${kind}`}
        {kind !== null && (
          <button type="button" class="inline" onClick={onAll}>
            all kinds
          </button>
        )}
      </h2>
      <ScrollTable labelledBy="groups-title" columns={COLUMNS}>
        {rows.map((group) => (
          <tr key={group.id} data-group={group.id}>
            <td class="number">
              {group.exact ? '' : '≈'}
              {countText(group.live)}
              {group.liveBytes === undefined ? '' : ` (${bytesText(group.liveBytes)})`}
            </td>
            <td class={`number ${isGrowth(group) ? 'up' : ''}`}>{rateText(group.ratePerSecond)}</td>
            <td>{group.kind}</td>
            <td>
              <button type="button" class="link place" onClick={() => onOpen(group.id)}>
                {placeOf(group)}
              </button>
            </td>
            <td class="number">{group.ageMs ? durationText(group.ageMs.oldest) : '–'}</td>
          </tr>
        ))}
      </ScrollTable>
      {matching.length > rows.length && <p class="quiet">… and {matching.length - rows.length} more</p>}
    </section>
  );
}
