import { countText } from '../../contract/amount-text.js';
import type { LedgerGroups } from '../../contract/ledger.schema.js';
import { change, clock } from '../words/format.js';
import { placeOf } from '../words/place.js';
import { ScrollTable, type TableColumn } from './scroll-table.js';

const COLUMNS: readonly TableColumn[] = [
  { title: 'Change', isNumber: true },
  { title: 'Now', isNumber: true },
  { title: 'Kind' },
  { title: 'Made at' },
];

interface Props {
  before: LedgerGroups;
  after: LedgerGroups;
  onOpen: (groupId: string) => void;
}

/** What grew between two moments, most first; then what shrank. */
export function ComparisonTable({ before, after, onOpen }: Props) {
  const was = new Map(before.groups.map((group) => [group.id, group]));
  const changes = after.groups
    .map((group) => ({ group, by: group.live - (was.get(group.id)?.live ?? 0) }))
    .filter(({ by }) => by !== 0)
    .sort((a, b) => b.by - a.by);
  return (
    <section aria-labelledby="comparison-title">
      <h2 id="comparison-title">
        Between {clock(before.takenAt)} and {clock(after.takenAt)}
      </h2>
      {changes.length === 0 ? (
        <p class="empty">Nothing has changed in number.</p>
      ) : (
        <ScrollTable labelledBy="comparison-title" columns={COLUMNS}>
          {changes.map(({ group, by }) => (
            <tr key={group.id} data-compared={group.id}>
              <td class={`number ${by > 0 ? 'up' : ''}`}>{change(by)}</td>
              <td class="number">{countText(group.live)}</td>
              <td>{group.kind}</td>
              <td>
                <button type="button" class="link place" onClick={() => onOpen(group.id)}>
                  {placeOf(group)}
                </button>
              </td>
            </tr>
          ))}
        </ScrollTable>
      )}
    </section>
  );
}
